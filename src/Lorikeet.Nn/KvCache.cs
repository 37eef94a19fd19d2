using Lorikeet.Tensors;

namespace Lorikeet.Nn;

/// <summary>The keys and values of one sequence, layer by layer, so that each token is computed once. They lie in pages of a pool.</summary>
public sealed class KvCache : IDisposable
{
    /// <summary>An empty cache, which takes pages as it grows.</summary>
    /// <param name="pool">Where they come from.</param>
    public KvCache(KvPool pool) => Pages = new KvPages(pool);

    /// <summary>Where the rows lie.</summary>
    public KvPages Pages { get; }

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

    /// <summary>Writes rows behind those that the layer holds; <see cref="Advance"/> counts them once all layers have theirs.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="k">Keys of the pass, <c>[rows, kvHeads · headDim]</c>.</param>
    /// <param name="v">Values of the pass.</param>
    /// <param name="start">First row to take.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentException">Rows of another width.</exception>
    public void Append(int layer, Tensor k, Tensor v, int start, int count)
    {
        Pages.Reserve(End + count);
        Pages.Write(layer, End, k, v, start, count);
    }

    /// <summary>Counts rows that every layer has got.</summary>
    public void Advance(int count) => Length = End + count;

    /// <summary>Forgets all rows after the first <paramref name="length"/>; pages that hold none go back to the pool.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
        Prefix = Math.Min(Prefix, length);
        Pages.Keep(length);
    }

    /// <summary>Gives all pages back.</summary>
    public void Dispose() => Pages.Dispose();
}
