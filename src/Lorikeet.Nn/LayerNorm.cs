using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Layer normalisation.</summary>
public sealed class LayerNorm : Norm
{
    /// <summary>A norm over <paramref name="dim"/> columns.</summary>
    public LayerNorm(Weights weights, int dim, float epsilon) : base(weights, epsilon)
    {
        Weight = weights.Vector("weight", dim);
        Bias = weights.Vector("bias", dim);
    }

    /// <inheritdoc/>
    public override Parameter Weight { get; set; }

    /// <inheritdoc/>
    public override Parameter? Bias { get; set; }

    /// <inheritdoc/>
    public override Tensor Plain(Tensor input, Step step) => step.Tape.LayerNorm(input, Weight.Value, Bias!.Value, Epsilon);
}
