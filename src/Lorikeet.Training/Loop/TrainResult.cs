namespace Lorikeet.Training;

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
