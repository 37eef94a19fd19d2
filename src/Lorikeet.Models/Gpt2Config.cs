using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;

namespace Lorikeet.Models;

/// <summary>Sizes of a GPT-2.</summary>
public sealed record Gpt2Config
{
    /// <summary>Token ids.</summary>
    public required int Vocabulary { get; init; }
    /// <summary>Learned positions.</summary>
    public required int Positions { get; init; }
    /// <summary>Columns of the residual stream.</summary>
    public required int Hidden { get; init; }
    /// <summary>Columns of the feed-forward unit.</summary>
    public required int Inner { get; init; }
    /// <summary>Blocks.</summary>
    public required int Layers { get; init; }
    /// <summary>Heads.</summary>
    public required int Heads { get; init; }
    /// <summary>Of the norms.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;
    /// <summary>Of the feed-forward unit.</summary>
    public Activation Activation { get; init; } = Activation.GeluTanh;
    /// <summary>Scores are divided by sqrt(head size).</summary>
    public bool ScaleByHeadSize { get; init; } = true;
    /// <summary>Scores are divided by the block's number, from 1.</summary>
    public bool ScaleByLayer { get; init; }
    /// <summary>The head is the embedding.</summary>
    public bool Tied { get; init; } = true;
    /// <summary>What every model says of itself.</summary>
    internal ModelFacts Facts => new("gpt2", Hidden, Layers, Heads, Heads, Hidden / Heads, Vocabulary, Positions);

    /// <summary>Reads a configuration; problems are left with the reader.</summary>
    public static Gpt2Config Read(JsonConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        int hidden = config.Size("n_embd", 768, 1, 1 << 24);
        int heads = config.Size("n_head", 12, 1, 1 << 20);
        if (hidden % heads != 0)
            config.Report("n_head", $"{hidden} columns cannot be split into {heads} heads");
        return new Gpt2Config
        {
            Vocabulary = config.Size("vocab_size", 50257, 1, 1 << 24),
            Positions = config.Size("n_positions", 1024, 1, 1 << 24),
            Hidden = hidden,
            Inner = config.Size("n_inner", 4 * hidden, 1, 1 << 26),
            Layers = config.Size("n_layer", 12, 1, 4096),
            Heads = heads,
            NormEpsilon = (float)config.Number("layer_norm_epsilon", 1e-5),
            Activation = Activations.Read(config, "activation_function", "gelu_new"),
            ScaleByHeadSize = config.Flag("scale_attn_weights", true),
            ScaleByLayer = config.Flag("scale_attn_by_inverse_layer_idx", false),
            Tied = config.Flag("tie_word_embeddings", true),
        };
    }
}
