using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>IA³ on a linear layer: <c>y = l ⊙ (W x + b)</c>, or <c>y = W (l ⊙ x) + b</c> on feed-forward layers.</summary>
public sealed class Ia3Linear : LinearPart
{
    private readonly bool _feedForward;

    internal Ia3Linear(AdapterBuilder builder, Linear layer, bool feedForward) : base(builder, layer)
    {
        _feedForward = feedForward;
        Shape shape = feedForward ? new Shape(1, layer.Inputs) : new Shape(layer.Outputs, 1);
        Factors = builder.Parameter(AdapterFile.Prefix + layer.Path + ".ia3_l", shape, (l, _) => l.Fill(1));
    }

    /// <summary>l: <c>[out, 1]</c>, or <c>[1, in]</c> on feed-forward layers.</summary>
    public Parameter Factors { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Linear place, Tensor input, Step step)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(step);
        return _feedForward
            ? place.Beneath(this, step.Tape.ScaleColumns(input, Factors.Value), step)
            : step.Tape.ScaleColumns(place.Beneath(this, input, step), Factors.Value);
    }

    /// <inheritdoc/>
    protected override void MergeInto(Tensor weight, Tensor? bias)
    {
        // scaling inputs of [out, in] is scaling outputs of [in, out]
        ScaleOutputs(weight, Layer.Transposed != _feedForward, Factors.Value);
        if (_feedForward || bias is null)
            return;
        Span<float> values = bias.Values, factors = Factors.Value.Values;
        for (int i = 0; i < values.Length; i++)
            values[i] *= factors[i];
    }
}
