using System.Runtime.InteropServices;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>
/// Random weights of a known shape, for measurements that need no download: <c>random:smollm2-135m</c>, or <c>random:smollm2-135m:bf16</c>
/// for another storage. Speed and memory do not depend on the values.
/// </summary>
public sealed class RandomWeights : ITensorSource
{
    /// <summary>What such a model's name begins with.</summary>
    public const string Prefix = "random:";

    private static readonly Dictionary<string, (int Vocabulary, int Hidden, int Intermediate, int Layers, int Heads, int KvHeads)> Shapes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["smollm2-135m"] = (49152, 576, 1536, 30, 9, 3),
        ["smollm2-360m"] = (49152, 960, 2560, 32, 15, 5),
        ["llama-1b"] = (32000, 2048, 5632, 16, 32, 8),
        ["tiny"] = (512, 64, 172, 5, 8, 4),
    };

    private readonly ModelStorage _storage;
    // what a parameter has left for memory of its own is not kept here, as the pages of a file would not be
    private readonly Dictionary<string, WeakReference<NativeBuffer>> _made = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Shape> _shapes;

    private RandomWeights(string name, DecoderConfig config, ModelStorage storage)
    {
        Description = name;
        _storage = storage;
        _shapes = ShapesOf(config);
    }

    /// <summary>The shapes that can be asked for.</summary>
    public static IReadOnlyCollection<string> Names => Shapes.Keys;

    /// <inheritdoc/>
    public string Description { get; }

    IReadOnlyList<string> ITensorSource.Names => [.. _shapes.Keys];

    IReadOnlyList<string> ITensorSource.Remarks =>
    [
        .. _shapes.Where(pair => pair.Value.Rank == 2 && _storage.Of(pair.Key, 2) is { } asked && TypeOf(pair.Key, pair.Value) != asked)
            .GroupBy(pair => (Asked: _storage.Of(pair.Key, 2)!.Value, Taken: TypeOf(pair.Key, pair.Value)))
            .Select(of => WeightStorage.Remark(of.Key.Asked, of.Key.Taken, [.. of.Select(pair => pair.Key)])),
    ];

    /// <summary>Builds the model that a name such as <c>random:tiny</c> or <c>random:llama-1b:bf16</c> asks for.</summary>
    /// <param name="name">Shape and, behind a colon, storage.</param>
    /// <param name="storage">What it says wins over the name.</param>
    /// <exception cref="InputException">The shape or the storage is unknown.</exception>
    public static CausalLm Build(string name, ModelStorage? storage = null)
    {
        (DecoderConfig config, DType? matrices) = Read(name);
        if (matrices is { } named)
            storage = new ModelStorage(storage?.Matrices ?? named, storage?.Embeddings);
        return ModelLoader.Build(new RandomWeights(name, config, storage ?? DType.F32), source => new CausalLm(source, root => new Decoder(config, root)));
    }

    /// <summary>The sizes of the model that a name asks for; nothing is made yet.</summary>
    /// <exception cref="InputException">The shape or the storage is unknown.</exception>
    internal static DecoderConfig ConfigOf(string name) => Read(name).Config;

    private static (DecoderConfig Config, DType? Storage) Read(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name[Prefix.Length..].Split(':');
        if (!Shapes.TryGetValue(parts[0], out var shape) || parts.Length > 2)
            throw new InputException($"{name}: unknown shape; known are {string.Join(", ", Shapes.Keys.Select(key => Prefix + key))}, each with its storage behind it if wanted ({string.Join(", ", WeightStorage.Names.Select(storage => ":" + storage))})");
        DType? storage = parts.Length < 2 ? null : WeightStorage.Parse(parts[1])
            ?? throw new InputException($"{name}: storage \"{parts[1]}\" is not known; {string.Join(", ", WeightStorage.Names)} are");
        DecoderConfig config = new()
        {
            ModelType = "llama",
            Vocabulary = shape.Vocabulary,
            Hidden = shape.Hidden,
            Intermediate = shape.Intermediate,
            Layers = shape.Layers,
            Heads = shape.Heads,
            KvHeads = shape.KvHeads,
            HeadDim = shape.Hidden / shape.Heads,
            RotaryDim = shape.Hidden / shape.Heads,
            NormEpsilon = 1e-5f,
            Rope = new RopeScaling { Theta = 1e5, MaxPositions = 8192, OriginalMaxPositions = 8192 },
            Tied = true,
            Windows = new int[shape.Layers],
            Rotates = [.. Enumerable.Repeat(true, shape.Layers)],
            ContextLength = 8192,
        };
        return (config, storage);
    }

    /// <inheritdoc/>
    public StoredTensor? Find(string name)
    {
        if (!_shapes.TryGetValue(name, out Shape shape))
            return null;
        DType type = TypeOf(name, shape);
        if (!_made.TryGetValue(name, out WeakReference<NativeBuffer>? made) || !made.TryGetTarget(out NativeBuffer? buffer))
            _made[name] = new WeakReference<NativeBuffer>(buffer = Fill(name, shape, type));
        return new StoredTensor(name, type, shape.ToArray(), buffer.Bytes);
    }

    /// <inheritdoc/>
    public void Dispose() => _made.Clear();

    // a model that is quantised has the rest in bf16, one whose tables alone are the rest in f32
    private DType TypeOf(string name, Shape shape)
    {
        DType rest = shape.Rank == 1 || _storage.Matrices is null ? DType.F32 : DType.BF16;
        if (_storage.Of(name, shape.Rank) is not { } asked)
            return rest;
        DType fitting = WeightStorage.Fitting(asked, shape.Columns);
        return fitting == DType.F16 && asked != DType.F16 ? rest : fitting;
    }

    // names are the seed, so that the same tensor is the same in every process
    private static NativeBuffer Fill(string name, Shape shape, DType type)
    {
        NativeBuffer buffer = new(type.Bytes(shape.Elements), zeroed: false);
        Fingerprint seed = new();
        foreach (char c in name)
            seed.Add(c);
        if (shape.Rank == 1)
        {
            MemoryMarshal.Cast<byte, float>(buffer.Span).Fill(1);
            return buffer;
        }
        using Tape tape = new() { Seed = seed.Value };
        int rows = Math.Max(1, (1 << 20) / shape.Columns);
        Tensor whole = Tensor.FromBytes(buffer.Bytes, type, shape);
        for (int row = 0; row < shape.Rows; row += rows)
        {
            Tensor part = tape.New(new Shape(Math.Min(rows, shape.Rows - row), shape.Columns));
            tape.FillNormal(part, 0, 0.02f);
            whole.WriteRows(row, part);
            tape.ReleaseTo(0);
        }
        whole.CompleteRows();
        return buffer;
    }

    private static Dictionary<string, Shape> ShapesOf(DecoderConfig c)
    {
        Dictionary<string, Shape> shapes = new(StringComparer.Ordinal)
        {
            ["model.embed_tokens.weight"] = new(c.Vocabulary, c.Hidden),
            ["model.norm.weight"] = new(c.Hidden),
        };
        for (int layer = 0; layer < c.Layers; layer++)
        {
            string at = $"model.layers.{layer}.";
            shapes[at + "input_layernorm.weight"] = new(c.Hidden);
            shapes[at + "post_attention_layernorm.weight"] = new(c.Hidden);
            shapes[at + "self_attn.q_proj.weight"] = new(c.Heads * c.HeadDim, c.Hidden);
            shapes[at + "self_attn.k_proj.weight"] = new(c.KvHeads * c.HeadDim, c.Hidden);
            shapes[at + "self_attn.v_proj.weight"] = new(c.KvHeads * c.HeadDim, c.Hidden);
            shapes[at + "self_attn.o_proj.weight"] = new(c.Hidden, c.Heads * c.HeadDim);
            shapes[at + "mlp.gate_proj.weight"] = new(c.Intermediate, c.Hidden);
            shapes[at + "mlp.up_proj.weight"] = new(c.Intermediate, c.Hidden);
            shapes[at + "mlp.down_proj.weight"] = new(c.Hidden, c.Intermediate);
        }
        return shapes;
    }
}
