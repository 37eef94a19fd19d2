namespace Lorikeet.Training;

/// <summary>What one evaluation found.</summary>
/// <param name="Step">Optimiser steps made before it; 0 before training.</param>
/// <param name="Epoch">Passes over the data made, as a fraction.</param>
/// <param name="Loss">Mean negative log likelihood of the held-out target tokens.</param>
/// <param name="TargetTokens">How many they are.</param>
/// <param name="Seconds">Time that it took.</param>
public readonly record struct EvalPoint(int Step, double Epoch, double Loss, long TargetTokens, double Seconds);
