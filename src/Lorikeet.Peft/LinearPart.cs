using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A part that acts on a linear layer and can be merged into its weight.</summary>
public abstract class LinearPart : AdapterPart, IAdapter<Linear, Tensor>
{
    private Tensor? _weight, _bias;

    /// <summary>A part for this layer.</summary>
    protected LinearPart(Linear layer) => Layer = layer;

    /// <summary>The layer.</summary>
    public Linear Layer { get; }

    /// <inheritdoc/>
    public override string? MergeObstacle => null;

    /// <inheritdoc/>
    public abstract Tensor Forward(Linear place, Tensor input, Step step);

    /// <inheritdoc/>
    public override void Attach() => Layer.Attach(this);

    /// <inheritdoc/>
    public override void Detach() => Layer.Detach(this);

    /// <inheritdoc/>
    public override void Merge()
    {
        (_weight, _bias) = (Layer.Weight.Value, Layer.Bias?.Value);
        Tensor weight = _weight.ToF32();
        Tensor? bias = _bias?.ToF32();
        MergeInto(weight, bias);
        Layer.Weight.Replace(weight);
        if (bias is not null)
            Layer.Bias!.Replace(bias);
        Detach();
    }

    /// <inheritdoc/>
    public override void Unmerge()
    {
        if (_weight is null)
            throw new InvalidOperationException($"{Layer.Path} was not merged");
        Layer.Weight.Replace(_weight);
        if (_bias is not null)
            Layer.Bias!.Replace(_bias);
        (_weight, _bias) = (null, null);
        Attach();
    }

    /// <summary>Changes copies of weight (in its own orientation) and bias into the merged ones.</summary>
    protected abstract void MergeInto(Tensor weight, Tensor? bias);
}
