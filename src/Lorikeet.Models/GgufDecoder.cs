using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>Reads a GGUF file of the Llama family as if it were its Hugging Face folder: names, row order and configuration.</summary>
public static class GgufDecoder
{
    /// <summary>True where a file begins as GGUF files do.</summary>
    public static bool IsGguf(string path)
    {
        using FileStream stream = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[4];
        return stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4 && magic.SequenceEqual("GGUF"u8);
    }

    /// <summary>Refuses a file that says it holds an adapter.</summary>
    /// <param name="metadata">What it says.</param>
    /// <param name="path">Its name.</param>
    /// <exception cref="InputException">It does.</exception>
    public static void RefuseAdapter(GgufMetadata metadata, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.Text("general.type") == "adapter")
            throw new InputException($"{path}: is an adapter for a model of architecture {metadata.Text("general.architecture") ?? "unknown"} (general.type = adapter), and a model was expected; give the model that it was made for, and this file as --adapter");
    }

    /// <summary>Loads the model of a GGUF file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="storage">Turns matrices into these storages; null leaves them as they are.</param>
    /// <exception cref="InputException">The architecture is not supported, or something is missing.</exception>
    public static CausalLm Load(string path, ModelStorage? storage = null)
    {
        GgufFile file = GgufFile.Open(path);
        return ModelLoader.Build(file, _ =>
        {
            RefuseAdapter(file.Metadata, path);
            DecoderConfig config = ReadConfig(file);
            return new CausalLm(ModelLoader.Converted(new Weights(file, config), storage), root => new Decoder(config, root));
        });
    }

    /// <summary>The sizes that the metadata describe.</summary>
    /// <exception cref="InputException">The architecture is not supported, or something is missing.</exception>
    internal static ModelFacts FactsOf(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        RefuseAdapter(file.Metadata, path);
        return ReadConfig(file).Facts;
    }

    /// <summary>The configuration that the metadata describes.</summary>
    public static DecoderConfig ReadConfig(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        GgufMetadata meta = file.Metadata;
        string arch = meta.Text("general.architecture") ?? "";
        if (arch is not ("llama" or "qwen2" or "qwen3" or "phi3" or "smollm3"))
        {
            throw new InputException(arch.Length == 0
                ? $"{file.Description}: general.architecture is missing from the metadata"
                : $"{file.Description}: architecture \"{arch}\" is not supported; of GGUF files llama (Mistral too), qwen2, qwen3, phi3 and smollm3 are");
        }
        List<string> problems = [];
        int heads = Size("attention.head_count"), hidden = Size("embedding_length"), layers = Size("block_count", maximum: 4096);
        int kvHeads = Size("attention.head_count_kv", heads);
        if (heads % kvHeads != 0)
            problems.Add($"{arch}.attention.head_count_kv: {heads} heads cannot be shared by {kvHeads}");
        int headDim = Size("attention.key_length", Math.Max(1, hidden / heads));
        if ((long)heads * headDim > 1 << 24)
            problems.Add($"{arch}.attention.key_length: {heads} heads of {headDim} are beyond what a model can have");
        int rotary = Size("rope.dimension_count", headDim);
        if (rotary % 2 != 0 || rotary > headDim)
            problems.Add($"{arch}.rope.dimension_count: an even number of a head's {headDim} dimensions must rotate, not {rotary}");
        int context = Size("context_length", 2048, int.MaxValue), intermediate = Size("feed_forward_length");
        int window = Size("attention.sliding_window", 0, int.MaxValue);
        StoredTensor? embedding = file.Find("token_embd.weight");
        if (embedding is null || embedding.Shape.Count != 2 || embedding.Shape[0] is < 1 or > 1 << 24)
            problems.Add("tensor token_embd.weight [vocabulary, hidden] is missing, or of another shape");
        RopeScaling rope = Rope(file, arch, context, rotary, problems);
        if (problems.Count > 0)
            throw new InputException($"{file.Description}: the metadata cannot be used", problems);
        return new DecoderConfig
        {
            ModelType = arch,
            Vocabulary = (int)embedding!.Shape[0],
            Hidden = hidden,
            Intermediate = intermediate,
            Layers = layers,
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            NormEpsilon = (float)(meta.Number($"{arch}.attention.layer_norm_rms_epsilon") ?? 1e-5),
            Rope = rope,
            RotaryDim = rotary,
            QkvBias = file.Find("blk.0.attn_q.bias") is not null || file.Find("blk.0.attn_qkv.bias") is not null,
            OutputBias = file.Find("blk.0.attn_output.bias") is not null,
            MlpBias = file.Find("blk.0.ffn_up.bias") is not null,
            Fused = file.Find("blk.0.attn_qkv.weight") is not null,
            QkNorm = file.Find("blk.0.attn_q_norm.weight") is not null,
            Tied = file.Find("output.weight") is null,
            Windows = [.. Enumerable.Repeat(window, layers)],
            Rotates = [.. Enumerable.Range(1, layers).Select(layer => arch != "smollm3" || layer % 4 != 0)],
            ContextLength = context,
        };

        // a window may be absent (0), everything else counts something
        int Size(string key, int fallback = -1, int maximum = 1 << 24)
        {
            long? value = meta.Integer($"{arch}.{key}");
            int minimum = fallback == 0 ? 0 : 1;
            if (value is null && fallback < 0)
                problems.Add($"{arch}.{key} is missing");
            else if (value is { } found && (found < minimum || found > maximum))
                problems.Add($"{arch}.{key} is {found}, a number from {minimum} to {maximum} was expected");
            return (int)Math.Clamp(value ?? fallback, minimum, maximum);
        }
    }

    private static RopeScaling Rope(GgufFile file, string arch, int context, int rotary, List<string> problems)
    {
        GgufMetadata meta = file.Metadata;
        RopeScaling rope = new()
        {
            Theta = Positive("freq_base") ?? 10000,
            MaxPositions = context,
            OriginalMaxPositions = (int)Math.Clamp(Positive("scaling.original_context_length") ?? context, 1, int.MaxValue),
            Factor = Positive("scaling.factor") ?? 1,
            AttentionFactor = Positive("scaling.attn_factor"),
        };
        // files of Llama 3.1 carry their scaling as a divisor for each frequency
        if (Divisors(file, "rope_freqs.weight", rotary) is { } all)
            return rope with { Kind = RopeScalingKind.LongRope, ShortFactors = all, LongFactors = all, AttentionFactor = 1 };
        if (Divisors(file, "rope_factors_long.weight", rotary) is { } longer && Divisors(file, "rope_factors_short.weight", rotary) is { } shorter)
            return rope with { Kind = RopeScalingKind.LongRope, ShortFactors = shorter, LongFactors = longer, Factor = rope.Factor == 1 ? context / (double)rope.OriginalMaxPositions : rope.Factor };
        string kind = meta.Text($"{arch}.rope.scaling.type") ?? "none";
        switch (kind)
        {
            case "linear":
                return rope with { Kind = RopeScalingKind.Linear };
            case "yarn":
                return rope with { Kind = RopeScalingKind.Yarn };
            case "none":
                return rope;
            default:
                problems.Add($"{arch}.rope.scaling.type is \"{kind}\", one of none, linear, yarn was expected (longrope where the file has rope_factors_long.weight and rope_factors_short.weight)");
                return rope;
        }

        double? Positive(string key)
        {
            double? value = meta.Number($"{arch}.rope.{key}");
            if (value is null or (> 0 and < double.PositiveInfinity))
                return value;
            problems.Add($"{arch}.rope.{key} is {value}, a positive number was expected");
            return null;
        }
    }

    private static double[]? Divisors(GgufFile file, string name, int rotary)
    {
        if (file.Find(name) is not { Type: DType.F32 } stored || stored.Elements != rotary / 2)
            return null;
        Tensor values = Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape));
        return [.. values.Values.ToArray().Select(value => (double)value)];
    }

    /// <summary>The file's tensors under their Hugging Face names and in that row order.</summary>
    private sealed class Weights(GgufFile file, DecoderConfig config) : ITensorSource
    {
        private readonly Dictionary<string, StoredTensor> _turned = new(StringComparer.Ordinal);

        public string Description => file.Description;

        public IReadOnlyList<string> Names => [.. file.Names.Select(name => GgufNames.ToHub(name, config.Fused))];

        public StoredTensor? Find(string name)
        {
            StoredTensor? stored = GgufNames.Of(name) is { } there ? file.Find(there) : null;
            if (stored is null || GgufNames.TurnedHeads(name, config) is not { } heads)
                return stored;
            if (!_turned.TryGetValue(name, out StoredTensor? turned))
                _turned.Add(name, turned = Unturn(stored, heads));
            return turned;
        }

        public void Dispose() => file.Dispose();

        // rows [heads, half, 2] become [heads, 2, half]; whole rows move, so blocks stay as they are
        private StoredTensor Unturn(StoredTensor stored, int heads)
        {
            // a tensor of another shape is reported by whoever asks for it
            int rows = heads * config.HeadDim;
            if (stored.Shape.Count == 0 || stored.Shape[0] != rows || config.HeadDim % 2 != 0)
                return stored;
            // a vector's blocks hold numbers of several rows, which move one by one
            if (stored.Shape.Count == 1 && stored.Type.BlockSize() > 1)
            {
                Tensor wide = Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape)).ToF32();
                stored = stored with { Type = DType.F32, Bytes = wide.Contents };
            }
            long rowBytes = stored.Bytes.Length / rows;
            NativeBuffer buffer = new(stored.Bytes.Length, zeroed: false);
            for (int row = 0; row < rows; row++)
                stored.Bytes.Slice(GgufNames.TurnedRow(row, config.HeadDim) * rowBytes, rowBytes).Span.CopyTo(buffer.Span.Slice(checked((int)(row * rowBytes)), (int)rowBytes));
            stored.Bytes.Release();
            return stored with { Bytes = buffer.Bytes };
        }
    }
}
