using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>
/// Writes a decoder as one GGUF file with the names, row order and metadata that llama.cpp reads. Tensors are packed and streamed one after another, so that a
/// model larger than memory can be written.
/// </summary>
public static class GgufExport
{
    /// <summary>
    /// Every storage that can be asked for. A matrix whose rows are no whole blocks of 256 is stored in a type of blocks of 32, as llama.cpp does it: Q4_0 for TQ1_0 and TQ2_0,
    /// IQ4_NL for Q2_K, Q3_K and IQ4_XS, Q5_0 for Q4_K, Q5_1 for Q5_K, Q8_0 for Q6_K; where these do not fit either, F16.
    /// </summary>
    public static IReadOnlyList<DType> Types { get; } =
    [
        DType.F32, DType.F16, DType.BF16, DType.Q8_0, DType.Q4_0, DType.Q4_1, DType.Q5_0, DType.Q5_1, DType.Q2_K, DType.Q3_K, DType.Q4_K, DType.Q5_K, DType.Q6_K,
        DType.IQ4_NL, DType.IQ4_XS, DType.TQ1_0, DType.TQ2_0,
    ];

    /// <summary>Writes the file, all or nothing.</summary>
    /// <param name="model">Its weights as they are now.</param>
    /// <param name="path">Final place.</param>
    /// <param name="type">Storage of the matrices; vectors stay f32, and a head beside them that is asked for in 5 bits or fewer gets 8, or 6 in blocks of 256, for errors there reach every token.</param>
    /// <param name="text">What else the file shall say: <c>general.name</c>, the keys of the tokenizer.</param>
    /// <param name="written">Hears of each matrix and what its rounding cost; null where nobody asks.</param>
    /// <param name="source">Where the model comes from, for messages.</param>
    /// <param name="stop">Ends it; nothing is left behind.</param>
    /// <exception cref="InputException">GGUF cannot express the model, the place cannot be written, or weights are not finite, or would not be in that storage.</exception>
    public static void Write(CausalLm model, string path, DType type, IEnumerable<KeyValuePair<string, object>> text, Action<WeightError>? written = null, string source = "the model", CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(text);
        if (!Types.Contains(type))
            throw new ArgumentException($"a GGUF file is written as one of {string.Join(", ", Types)}, not {type}");
        if (model.Backbone is not Decoder { Config: { } config })
            throw new InputException($"a model of type {model.Facts.ModelType} cannot be written as GGUF; decoders of the Llama family can");
        string arch = GgufNames.Architecture(config);
        List<KeyValuePair<string, object>> metadata = Metadata(config, arch);
        metadata.AddRange(text);
        WeightWriter writer = new(written, stop);
        List<GgufEntry> tensors = [];
        if (Divisors(config.Rope, config.RotaryDim) is { } divisors)
            tensors.Add(Vector("rope_freqs.weight", divisors));
        if (config.Rope.Kind == RopeScalingKind.LongRope)
        {
            tensors.Add(Vector("rope_factors_long.weight", config.Rope.LongFactors));
            tensors.Add(Vector("rope_factors_short.weight", config.Rope.ShortFactors));
        }
        foreach (Parameter parameter in model.StoredWeights)
            tensors.Add(Entry(parameter, model, config, type, writer));
        writer.CheckSource(model.StoredWeights, source);
        AtomicFile.Write(path, stream =>
        {
            GgufWriter.Write(stream, metadata, tensors);
            writer.ThrowIfAny(path);
        });
    }

    /// <summary>How a matrix is stored when a type is asked for.</summary>
    /// <param name="type">What was asked for.</param>
    /// <param name="columns">Length of a row.</param>
    /// <param name="isHead">True for the projection to the vocabulary, and for an embedding that serves as one.</param>
    public static DType StorageOf(DType type, int columns, bool isHead)
    {
        if (isHead)
        {
            type = type switch
            {
                DType.Q4_0 or DType.Q4_1 or DType.Q5_0 or DType.Q5_1 or DType.IQ4_NL => DType.Q8_0,
                DType.Q2_K or DType.Q3_K or DType.Q4_K or DType.Q5_K or DType.IQ4_XS or DType.TQ1_0 or DType.TQ2_0 => DType.Q6_K,
                _ => type,
            };
        }
        return WeightStorage.Fitting(type, columns);
    }

    private static List<KeyValuePair<string, object>> Metadata(DecoderConfig config, string arch)
    {
        List<string> problems = [];
        if (config.Windows.Distinct().Count() > 1)
            problems.Add("its layers see windows of different widths");
        if (config.Activation != Activation.Silu)
            problems.Add($"its activation is {config.Activation}, the format's is SiLU");
        if (arch == "smollm3" && !config.Rotates.SequenceEqual(Enumerable.Range(1, config.Layers).Select(layer => layer % 4 != 0)))
            problems.Add("other layers than every fourth are without positions");
        RopeScaling rope = config.Rope;
        if (rope.Kind == RopeScalingKind.Dynamic)
            problems.Add("its rotary embedding grows with the length of the text (dynamic scaling)");
        if (rope.Kind == RopeScalingKind.Yarn && (rope.Mscale != 0 || rope.MscaleAllDim != 0 || !rope.Truncate || rope.BetaFast != 32 || rope.BetaSlow != 1))
            problems.Add("its yarn scaling has settings of its own");
        if (problems.Count > 0)
            throw new InputException("the model cannot be written as GGUF", problems);
        List<KeyValuePair<string, object>> all =
        [
            new("general.architecture", arch),
            new("general.quantization_version", 2u),
        ];
        Add("context_length", (uint)config.ContextLength);
        Add("embedding_length", (uint)config.Hidden);
        Add("block_count", (uint)config.Layers);
        Add("feed_forward_length", (uint)config.Intermediate);
        Add("attention.head_count", (uint)config.Heads);
        Add("attention.head_count_kv", (uint)config.KvHeads);
        Add("attention.key_length", (uint)config.HeadDim);
        Add("attention.value_length", (uint)config.HeadDim);
        Add("attention.layer_norm_rms_epsilon", config.NormEpsilon);
        Add("vocab_size", (uint)config.Vocabulary);
        Add("rope.dimension_count", (uint)config.RotaryDim);
        Add("rope.freq_base", (float)rope.Theta);
        if (config.Windows[0] > 0)
            Add("attention.sliding_window", (uint)config.Windows[0]);
        if (rope.Kind is RopeScalingKind.Linear or RopeScalingKind.Yarn)
        {
            Add("rope.scaling.type", rope.Kind == RopeScalingKind.Linear ? "linear" : "yarn");
            Add("rope.scaling.factor", (float)rope.Factor);
        }
        if (rope.Kind is RopeScalingKind.Yarn or RopeScalingKind.LongRope)
            Add("rope.scaling.original_context_length", (uint)rope.OriginalMaxPositions);
        if (rope.AttentionFactor is { } factor)
            Add("rope.scaling.attn_factor", (float)factor);
        return all;

        void Add(string key, object value) => all.Add(new($"{arch}.{key}", value));
    }

    // Llama 3's smooth step is stored as what each frequency is divided by
    private static double[]? Divisors(RopeScaling rope, int dim)
    {
        if (rope.Kind != RopeScalingKind.Llama3)
            return null;
        ReadOnlySpan<float> scaled = new RotaryEmbedding(dim, rope).Frequencies, plain = new RotaryEmbedding(dim, rope with { Kind = RopeScalingKind.None }).Frequencies;
        double[] divisors = new double[scaled.Length];
        for (int i = 0; i < divisors.Length; i++)
            divisors[i] = plain[i] / scaled[i];
        return divisors;
    }

    private static GgufEntry Vector(string name, IReadOnlyList<double> values)
    {
        Tensor tensor = Tensor.FromValues([.. values.Select(value => (float)value)], new Shape(values.Count));
        return new GgufEntry(name, DType.F32, [values.Count], stream => tensor.Contents.CopyTo(stream));
    }

    private static GgufEntry Entry(Parameter parameter, CausalLm model, DecoderConfig config, DType asked, WeightWriter writer)
    {
        string name = GgufNames.Of(parameter.Name) ?? throw new InputException($"tensor {parameter.Name} has no place in a GGUF file");
        Tensor value = parameter.Value;
        bool isMatrix = value.Shape.Rank > 1;
        DType type = isMatrix ? StorageOf(asked, value.Columns, parameter == model.Head.Weight) : DType.F32;
        Func<int, int>? turned = GgufNames.TurnedHeads(parameter.Name, config) is null ? null : row => GgufNames.OwnRow(row, config.HeadDim);
        // a vector is a column of heads: its numbers move one by one
        Tensor matrix = isMatrix || turned is null ? value : Tensor.FromBytes(value.Contents, value.Type, new Shape(value.Columns, 1));
        return new GgufEntry(name, type, value.Shape.ToArray(), stream => writer.Write(parameter.Name, matrix, type, stream, tell: isMatrix, turned));
    }
}
