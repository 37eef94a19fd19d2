namespace Lorikeet.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">From 1.</param>
/// <param name="TotalSteps">Of the run.</param>
/// <param name="Epoch">Passes over the data, as a fraction.</param>
/// <param name="Loss">Mean negative log likelihood of the step's target tokens, in nats.</param>
/// <param name="GradNorm">L2 norm of all gradients before clipping.</param>
/// <param name="LearningRate">Used by this step.</param>
/// <param name="Tokens">Tokens of this step.</param>
/// <param name="TargetTokens">Those that counted in the loss.</param>
/// <param name="Seconds">Wall time of this step.</param>
public readonly record struct StepReport(
    int Step, int TotalSteps, double Epoch, double Loss, double GradNorm, double LearningRate, int Tokens, int TargetTokens, double Seconds);

/// <summary>What one evaluation found.</summary>
/// <param name="Step">After how many optimiser steps.</param>
/// <param name="Loss">Mean negative log likelihood per target token, in nats.</param>
/// <param name="TargetTokens">How many tokens that is.</param>
/// <param name="Best">True where no evaluation was better.</param>
/// <param name="Seconds">Wall time.</param>
public readonly record struct EvaluationReport(int Step, double Loss, long TargetTokens, bool Best, double Seconds);

/// <summary>How a run ended.</summary>
public enum TrainOutcome
{
    /// <summary>All steps were made.</summary>
    Finished,
    /// <summary>The evaluation loss no longer fell.</summary>
    StoppedEarly,
    /// <summary>Somebody asked to stop; the state was saved.</summary>
    Interrupted,
}

/// <summary>What a run came to.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Steps">Optimiser steps made, those before a resume included.</param>
/// <param name="Loss">Of the last step.</param>
/// <param name="BestEvaluation">The lowest evaluation loss, where there was one.</param>
/// <param name="BestStep">After which step.</param>
/// <param name="Tokens">Tokens trained on since the start or resume.</param>
/// <param name="Seconds">Wall time of those steps, evaluations and checkpoints left out.</param>
/// <param name="Checkpoint">The newest checkpoint, where one was written.</param>
/// <param name="BestCheckpoint">The one of the lowest evaluation loss, where there is one.</param>
public sealed record TrainResult(
    TrainOutcome Outcome, int Steps, double Loss, double? BestEvaluation, int BestStep, long Tokens, double Seconds, string? Checkpoint, string? BestCheckpoint);
