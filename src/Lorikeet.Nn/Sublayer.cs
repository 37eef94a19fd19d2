using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>What a sub-layer (attention or feed-forward) hands to its end.</summary>
/// <param name="Output">What the sub-layer computed, <c>[rows, hidden]</c>.</param>
/// <param name="Residual">The residual stream that it is added to, <c>[rows, hidden]</c>.</param>
public readonly record struct SublayerInput(Tensor Output, Tensor Residual);

/// <summary>Which half of a block a sub-layer is.</summary>
public enum SublayerKind
{
    /// <summary>The attention half.</summary>
    Attention,
    /// <summary>The feed-forward half.</summary>
    FeedForward,
}

/// <summary>
/// The end of a sub-layer, where its output joins the residual stream: the place of bottleneck adapters (Houlsby, Pfeiffer, parallel, Compacter).
/// </summary>
public sealed class Sublayer : Place<Sublayer, SublayerInput>
{
    /// <summary>The end of one half of a block.</summary>
    public Sublayer(Weights weights, int layer, SublayerKind kind, int hidden) : base(weights)
    {
        Layer = layer;
        Kind = kind;
        Hidden = hidden;
    }

    /// <summary>The block's number, from 0.</summary>
    public int Layer { get; }

    /// <summary>Which half.</summary>
    public SublayerKind Kind { get; }

    /// <summary>Columns of the residual stream.</summary>
    public int Hidden { get; }

    /// <inheritdoc/>
    public override Tensor Plain(SublayerInput input, Step step) => step.Tape.AddTo(input.Residual, input.Output);
}
