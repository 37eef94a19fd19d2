namespace Lorikeet.Training;

/// <summary>How far a run is, as a checkpoint keeps it.</summary>
/// <param name="Step">Optimiser steps made.</param>
/// <param name="BestLoss">The lowest evaluation loss so far.</param>
/// <param name="BestStep">After which step that was.</param>
/// <param name="BadEvaluations">Evaluations since then.</param>
/// <param name="EvaluatedStep">After which step the last evaluation was made; null where there was none.</param>
public readonly record struct TrainProgress(int Step, double? BestLoss, int BestStep, int BadEvaluations, int? EvaluatedStep = null);
