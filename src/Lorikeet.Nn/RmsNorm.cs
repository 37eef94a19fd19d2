using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Root mean square normalisation.</summary>
public sealed class RmsNorm : Norm
{
    /// <summary>A norm over <paramref name="dim"/> columns.</summary>
    public RmsNorm(Weights weights, int dim, float epsilon) : base(weights, epsilon) => Weight = weights.Vector("weight", dim);

    /// <inheritdoc/>
    public override Parameter Weight { get; set; }

    /// <inheritdoc/>
    public override Parameter? Bias
    {
        get => null;
        set => throw new NotSupportedException("root mean square norms have no bias");
    }

    /// <inheritdoc/>
    public override Tensor Plain(Tensor input, Step step) => step.Tape.RmsNorm(input, Weight.Value, Epsilon);
}
