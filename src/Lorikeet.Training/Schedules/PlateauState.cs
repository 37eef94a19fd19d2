namespace Lorikeet.Training;

/// <summary>What <see cref="ScheduleKind.ReduceOnPlateau"/> has seen so far; part of a checkpoint.</summary>
/// <param name="Rate">The learning rate in use.</param>
/// <param name="Best">The lowest evaluation loss, or null before the first evaluation.</param>
/// <param name="Bad">Evaluations in a row without improvement.</param>
/// <param name="Cooling">Evaluations still to be ignored after a reduction.</param>
public sealed record PlateauState(double Rate, double? Best, int Bad, int Cooling);
