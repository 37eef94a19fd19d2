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
