namespace Lorikeet.Kernels;

/// <summary>
/// How a page of a key and value cache is laid out: the same few rows of all layers; of each layer first the keys, then the values, head after head, the
/// rows of a head one after another. As 8-bit integers a head's rows are followed by their scales, one single each: <c>x = code * scale</c>.
/// </summary>
public readonly struct KvLayout
{
    /// <summary>Rows of a page: a multiple of the widest panel, and few enough that a short text wastes little.</summary>
    public const int Rows = 32;

    /// <summary>Bytes behind a page that a vector may read, of a last row that is shorter than two of them.</summary>
    private const int Slack = 128;

    /// <summary>Lays out pages.</summary>
    /// <param name="layers">Attention layers.</param>
    /// <param name="heads">Key and value heads.</param>
    /// <param name="keyDim">Numbers of a key head.</param>
    /// <param name="valueDim">Numbers of a value head.</param>
    /// <param name="type">F32, BF16 or I8.</param>
    /// <exception cref="ArgumentException">Another type.</exception>
    public KvLayout(int layers, int heads, int keyDim, int valueDim, DType type)
    {
        if (type is not (DType.F32 or DType.BF16 or DType.I8))
            throw new ArgumentException($"a cache of keys and values in {type}: f32, bf16 or i8 was expected");
        (Layers, Heads, KeyDim, ValueDim, Type) = (layers, heads, keyDim, valueDim, type);
        KeyBytes = HeadBytes(keyDim, type);
        ValueBytes = HeadBytes(valueDim, type);
    }

    /// <summary>Attention layers.</summary>
    public int Layers { get; }

    /// <summary>Key and value heads.</summary>
    public int Heads { get; }

    /// <summary>Numbers of a key head.</summary>
    public int KeyDim { get; }

    /// <summary>Numbers of a value head.</summary>
    public int ValueDim { get; }

    /// <summary>F32, BF16 or I8.</summary>
    public DType Type { get; }

    /// <summary>Bytes of a page.</summary>
    public long PageBytes => Layers * LayerBytes + Slack;

    /// <summary>Bytes of all keys of one head in one layer.</summary>
    internal long KeyBytes { get; }

    /// <summary>Bytes of all values of one head in one layer.</summary>
    internal long ValueBytes { get; }

    private long LayerBytes => Heads * (KeyBytes + ValueBytes);

    /// <summary>Where a head's keys begin in a page.</summary>
    internal long KeysAt(int layer, int head) => layer * LayerBytes + head * KeyBytes;

    /// <summary>Where a head's values begin in a page.</summary>
    internal long ValuesAt(int layer, int head) => layer * LayerBytes + Heads * KeyBytes + head * ValueBytes;

    private static long HeadBytes(int dim, DType type) =>
        ((long)Rows * dim * type.BlockBytes() + (type == DType.I8 ? Rows * sizeof(float) : 0) + 63) & ~63L;
}
