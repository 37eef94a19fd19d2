namespace Lorikeet.Training;

/// <summary>A loss or a gradient became NaN or infinite. No later step runs.</summary>
public sealed class DivergedException : Exception
{
    /// <summary>Says where.</summary>
    /// <param name="step">The optimiser step, from 1; 0 before the first.</param>
    /// <param name="tensor">The first tensor that holds such a number.</param>
    /// <param name="checkpoint">The last good checkpoint, or null.</param>
    /// <param name="updated">True where the step had changed the weights before anybody saw it, as an evaluation after it does.</param>
    public DivergedException(int step, string tensor, string? checkpoint, bool updated = false) : base(
        $"{(step == 0 ? "before the first step" : $"step {step}")}: {tensor} is not finite. "
        + (step == 0 ? "Nothing was trained. " : updated ? "The run was stopped; the weights of this step were not saved. " : "The run was stopped before this step changed anything. ")
        + "Try a lower learning rate, more warm-up steps, or clipping (max_grad_norm); look for rows with strange text in the data. "
        + (checkpoint is null ? "No checkpoint had been written yet." : $"The last good checkpoint is {checkpoint}."))
    {
        Step = step;
        Tensor = tensor;
    }

    /// <summary>The optimiser step, from 1; 0 before the first.</summary>
    public int Step { get; }

    /// <summary>The first tensor that is not finite.</summary>
    public string Tensor { get; }
}
