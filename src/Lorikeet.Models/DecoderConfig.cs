using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;

namespace Lorikeet.Models;

/// <summary>One reading of the Llama family's variations.</summary>
public sealed record DecoderConfig
{
    /// <summary><c>model_type</c>.</summary>
    public required string ModelType { get; init; }
    /// <summary>Token ids.</summary>
    public required int Vocabulary { get; init; }
    /// <summary>Columns of the residual stream.</summary>
    public required int Hidden { get; init; }
    /// <summary>Columns of the gated unit.</summary>
    public required int Intermediate { get; init; }
    /// <summary>Blocks.</summary>
    public required int Layers { get; init; }
    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }
    /// <summary>Key and value heads.</summary>
    public required int KvHeads { get; init; }
    /// <summary>Numbers of a head; not always hidden / heads.</summary>
    public required int HeadDim { get; init; }
    /// <summary>Of the norms.</summary>
    public float NormEpsilon { get; init; } = 1e-6f;
    /// <summary>Of the gated unit.</summary>
    public Activation Activation { get; init; } = Activation.Silu;
    /// <summary>The rotary embedding.</summary>
    public required RopeScaling Rope { get; init; }
    /// <summary>Numbers of a head that are rotated.</summary>
    public required int RotaryDim { get; init; }
    /// <summary>Biases on q, k and v.</summary>
    public bool QkvBias { get; init; }
    /// <summary>A bias on the output projection.</summary>
    public bool OutputBias { get; init; }
    /// <summary>Biases in the feed-forward half.</summary>
    public bool MlpBias { get; init; }
    /// <summary>q, k, v in one projection and gate, up in another (Phi-3).</summary>
    public bool Fused { get; init; }
    /// <summary>Norms on each head's queries and keys (Qwen 3).</summary>
    public bool QkNorm { get; init; }
    /// <summary>The head is the embedding.</summary>
    public bool Tied { get; init; }
    /// <summary>Positions that a row sees in each layer; 0 for all.</summary>
    public required IReadOnlyList<int> Windows { get; init; }
    /// <summary>Whether each layer rotates (SmolLM3 leaves some without positions).</summary>
    public required IReadOnlyList<bool> Rotates { get; init; }
    /// <summary>Positions that the model was made for.</summary>
    public required int ContextLength { get; init; }
    /// <summary>What every model says of itself.</summary>
    internal ModelFacts Facts => new(ModelType, Hidden, Layers, Heads, KvHeads, HeadDim, Vocabulary, ContextLength);

    /// <summary>The model types that are read.</summary>
    public static IReadOnlyList<string> ModelTypes { get; } = ["llama", "mistral", "phi3", "qwen2", "qwen3", "smollm3"];

    /// <summary>Reads a configuration; problems are left with the reader.</summary>
    public static DecoderConfig Read(JsonConfig config)
    {
        string type = config.Text("model_type", "llama");
        int hidden = config.Size("hidden_size");
        int heads = config.Size("num_attention_heads");
        int layers = config.Size("num_hidden_layers", maximum: 4096);
        int kvHeads = config.Size("num_key_value_heads", heads, 1, 1 << 20);
        int headDim = config.Size("head_dim", type == "qwen3" ? 128 : Math.Max(1, hidden / heads), 1, 1 << 16);
        if (heads % kvHeads != 0)
            config.Report("num_key_value_heads", $"{heads} attention heads cannot be shared by {kvHeads}");
        int rotary = (int)(headDim * (config.Section("rope_parameters")?.NumberOrNull("partial_rotary_factor") ?? config.Number("partial_rotary_factor", 1)));
        if (rotary is < 2 || rotary > headDim || rotary % 2 != 0)
            config.Report("partial_rotary_factor", $"an even number of a head's {headDim} dimensions must rotate, not {rotary}");
        bool attentionBias = config.Flag("attention_bias", false);
        double theta = type == "smollm3" ? 2e6 : 10000;
        return new DecoderConfig
        {
            ModelType = type,
            Vocabulary = config.Size("vocab_size"),
            Hidden = hidden,
            Intermediate = config.Size("intermediate_size"),
            Layers = layers,
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            NormEpsilon = (float)config.Number("rms_norm_eps", type == "phi3" ? 1e-5 : 1e-6),
            Activation = Activations.Read(config, "hidden_act", "silu"),
            Rope = RopeConfig.Read(config, rotary, theta),
            RotaryDim = rotary,
            QkvBias = type == "qwen2" || attentionBias,
            OutputBias = type != "qwen2" && attentionBias,
            MlpBias = config.Flag("mlp_bias", false),
            Fused = type == "phi3",
            QkNorm = type == "qwen3",
            Tied = config.Flag("tie_word_embeddings", type == "smollm3"),
            Windows = ReadWindows(config, type, layers),
            Rotates = ReadRotates(config, type, layers),
            ContextLength = config.Size("max_position_embeddings", 2048, 1, int.MaxValue),
        };
    }

    private static int[] ReadWindows(JsonConfig config, string type, int layers)
    {
        int window = config.Size("sliding_window", type == "mistral" && !config.Root.ContainsKey("sliding_window") ? 4096 : 0, 0, int.MaxValue);
        int[] windows = new int[layers];
        bool byLayer = type is "qwen2" or "qwen3" or "smollm3";
        if (window == 0 || type == "llama" || (byLayer && !config.Flag("use_sliding_window", false)))
            return windows;
        IReadOnlyList<string> kinds = (config.TextsOrNull("layer_types") ?? []);
        if (kinds.Count > 0 && kinds.Count != layers)
            config.Report("layer_types", $"{layers} entries were expected, found {kinds.Count}");
        int firstWindowed = type is "qwen2" or "qwen3" ? config.Size("max_window_layers", 28, 0, int.MaxValue) : 0;
        for (int layer = 0; layer < layers; layer++)
        {
            bool windowed = kinds.Count == layers ? kinds[layer] == "sliding_attention" : layer >= firstWindowed;
            windows[layer] = windowed ? window : 0;
        }
        return windows;
    }

    private static bool[] ReadRotates(JsonConfig config, string type, int layers)
    {
        bool[] rotates = new bool[layers];
        Array.Fill(rotates, true);
        if (type != "smollm3")
            return rotates;
        IReadOnlyList<double> flags = (config.NumbersOrNull("no_rope_layers") ?? []);
        int interval = config.Size("no_rope_layer_interval", 4, 1, int.MaxValue);
        if (flags.Count > 0 && flags.Count != layers)
            config.Report("no_rope_layers", $"{layers} entries were expected, found {flags.Count}");
        for (int layer = 0; layer < layers; layer++)
            rotates[layer] = flags.Count == layers ? flags[layer] != 0 : (layer + 1) % interval != 0;
        return rotates;
    }
}
