using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>The keys and values of one sequence, layer by layer, so that each token is computed once.</summary>
public sealed class KvCache
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <summary>An empty cache.</summary>
    /// <param name="layers">Attention layers.</param>
    /// <param name="keyColumns">kvHeads · headDim.</param>
    /// <param name="valueColumns">kvHeads · valueDim.</param>
    /// <param name="capacity">Rows to make room for; more are found when needed.</param>
    public KvCache(int layers, int keyColumns, int valueColumns, int capacity)
    {
        _keys = new Tensor[layers];
        _values = new Tensor[layers];
        for (int layer = 0; layer < layers; layer++)
        {
            _keys[layer] = Tensor.Create(new Shape(capacity, keyColumns));
            _values[layer] = Tensor.Create(new Shape(capacity, valueColumns));
        }
    }

    /// <summary>Rows that every layer holds.</summary>
    public int Length { get; private set; }

    /// <summary>Rows at the front that are no tokens: a learned prefix.</summary>
    public int Prefix { get; private set; }

    /// <summary>Rows that the next token stands behind.</summary>
    public int End => Length == 0 ? Prefix : Length;

    /// <summary>Writes learned rows at the front of an empty cache; the first pass counts them with its own.</summary>
    public void WritePrefix(int layer, Tensor k, Tensor v)
    {
        ArgumentNullException.ThrowIfNull(k);
        if (Length > 0)
            throw new InvalidOperationException("a prefix stands before all tokens");
        Prefix = 0;
        Append(layer, k, v, 0, k.Rows);
        Prefix = k.Rows;
    }

    /// <summary><c>[capacity, kvHeads · headDim]</c>.</summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary><c>[capacity, kvHeads · valueDim]</c>.</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <summary>Writes rows behind those that the layer holds; <see cref="Advance"/> counts them once all layers have theirs.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="k">Keys of the pass, <c>[rows, kvHeads · headDim]</c>.</param>
    /// <param name="v">Values of the pass.</param>
    /// <param name="start">First row to take.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentException">Rows of another width.</exception>
    public void Append(int layer, Tensor k, Tensor v, int start, int count)
    {
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        if (k.Columns != _keys[layer].Columns || v.Columns != _values[layer].Columns)
            throw new ArgumentException($"keys {k} and values {v} for a cache of {_keys[layer].Columns} and {_values[layer].Columns} columns");
        int at = End;
        Reserve(layer, at + count);
        for (int row = 0; row < count; row++)
        {
            k.Row(start + row).CopyTo(_keys[layer].Row(at + row));
            v.Row(start + row).CopyTo(_values[layer].Row(at + row));
        }
    }

    /// <summary>Counts rows that every layer has got.</summary>
    public void Advance(int count) => Length = End + count;

    /// <summary>Forgets all rows after the first <paramref name="length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
        Prefix = Math.Min(Prefix, length);
    }

    private void Reserve(int layer, int rows)
    {
        if (rows <= _keys[layer].Rows)
            return;
        int capacity = Math.Max(rows, _keys[layer].Rows * 2);
        _keys[layer] = Grown(_keys[layer], capacity);
        _values[layer] = Grown(_values[layer], capacity);
    }

    private Tensor Grown(Tensor old, int capacity)
    {
        Tensor grown = Tensor.Create(new Shape(capacity, old.Columns), DType.F32);
        for (int row = 0; row < End; row++)
            old.Row(row).CopyTo(grown.Row(row));
        return grown;
    }
}
