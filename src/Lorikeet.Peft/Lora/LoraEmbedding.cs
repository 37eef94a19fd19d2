using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>LoRA on an embedding: <c>y = E[ids] + s · Aᵀ[ids] Bᵀ</c>.</summary>
public sealed class LoraEmbedding : LowRankEmbedding
{
    internal LoraEmbedding(AdapterBuilder builder, Embedding layer, LoraSettings settings) : base(builder, layer, settings) { }

    /// <inheritdoc/>
    public override Tensor Forward(Embedding place, Tensor input, Step step)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(step);
        return step.Tape.Add(place.Beneath(this, input, step), Update(input, step));
    }
}
