namespace Lorikeet.Training;

/// <summary>What one evaluation found.</summary>
/// <param name="Step">After how many optimiser steps.</param>
/// <param name="Loss">Mean negative log likelihood per target token, in nats.</param>
/// <param name="TargetTokens">How many tokens that is.</param>
/// <param name="Best">True where no evaluation was better.</param>
/// <param name="Seconds">Wall time.</param>
public readonly record struct EvaluationReport(int Step, double Loss, long TargetTokens, bool Best, double Seconds);
