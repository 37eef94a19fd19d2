using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>DoRA on an embedding: <c>y = (m / n) ⊙ (E[ids] + s · Aᵀ[ids] Bᵀ)</c>, where n is the norm of each column over the whole vocabulary.</summary>
public sealed class DoraEmbedding : LowRankEmbedding
{
    private readonly DoraFactors _factors;

    internal DoraEmbedding(AdapterBuilder builder, Embedding layer, LoraSettings settings) : base(builder, layer, settings) =>
        _factors = new DoraFactors(builder, AdapterFile.Prefix + layer.Path, () => layer.Weight.Value, true, A, B, settings.Scale);

    /// <summary>m, <c>[dim]</c>.</summary>
    public Parameter Magnitude => _factors.Magnitude;

    /// <inheritdoc/>
    public override Tensor Forward(Embedding place, Tensor input, Step step)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(step);
        if (!place.IsInnermost(this))
            throw new InputException($"{place.Path}: DoRA rescales the base weight and must be the first adapter on its layer");
        return step.Tape.ScaleColumns(step.Tape.Add(place.Plain(input, step), Update(input, step)), _factors.Of(step.Tape));
    }

    /// <inheritdoc/>
    public override void Attach()
    {
        _factors.Forget();
        base.Attach();
    }

    /// <inheritdoc/>
    protected override void MergeInto(Tensor weight)
    {
        using Tape tape = new();
        Tensor factors = _factors.Exactly(tape);
        base.MergeInto(weight);
        LinearPart.ScaleOutputs(weight, transposed: true, factors);
    }
}
