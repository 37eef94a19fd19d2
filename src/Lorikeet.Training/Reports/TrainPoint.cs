namespace Lorikeet.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">Steps made, this one included.</param>
/// <param name="Epoch">Passes over the data made, as a fraction.</param>
/// <param name="Loss">Mean negative log likelihood of the step's target tokens.</param>
/// <param name="LearningRate">The rate that it used.</param>
/// <param name="GradientNorm">Norm of the whole gradient before clipping.</param>
/// <param name="Tokens">Tokens that went through the model.</param>
/// <param name="TargetTokens">Tokens that counted in the loss.</param>
/// <param name="Seconds">Time that it took.</param>
public readonly record struct TrainPoint(
    int Step, double Epoch, double Loss, double LearningRate, double GradientNorm, int Tokens, int TargetTokens, double Seconds);
