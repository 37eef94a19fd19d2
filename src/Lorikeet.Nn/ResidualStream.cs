using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>Where along the model a residual stream is.</summary>
public enum StreamPosition
{
    /// <summary>Embeddings, before the first block: soft prompts, invertible adapters.</summary>
    Input,
    /// <summary>After a block: representation fine-tuning, layer-wise fusion.</summary>
    Block,
}

/// <summary>The residual stream at one point, which methods may rewrite (prompt tuning, ReFT). Plain, it passes.</summary>
public sealed class ResidualStream : Place<ResidualStream, Tensor>
{
    /// <summary>The stream before the first block (layer -1) or after a block.</summary>
    public ResidualStream(Weights weights, int layer, int hidden) : base(weights)
    {
        Layer = layer;
        Hidden = hidden;
    }

    /// <summary>The block that it leaves, from 0; -1 before the first.</summary>
    public int Layer { get; }

    /// <summary>Input or block.</summary>
    public StreamPosition Position => Layer < 0 ? StreamPosition.Input : StreamPosition.Block;

    /// <summary>Columns.</summary>
    public int Hidden { get; }

    /// <inheritdoc/>
    public override Tensor Plain(Tensor input, Step step) => input;
}
