namespace Lorikeet.Kernels;

/// <summary>
/// The key rows that each tile of a block of queries sees, so that products skip what no query of the tile sees. A tile that sees nothing has an
/// empty range.
/// </summary>
internal unsafe struct KeyRanges
{
    /// <summary>Most queries of a block.</summary>
    public const int MaxQueries = 96;

    private const int MaxTiles = MaxQueries / AttentionTile.Rows;

    /// <summary>Tiles of the block.</summary>
    public int Tiles;
    /// <summary>First key that any query of the block sees.</summary>
    public int Low;
    /// <summary>One past the last key that any query of the block sees; not above <see cref="Low"/> where none sees any.</summary>
    public int High;

    private fixed int _low[MaxTiles];
    private fixed int _high[MaxTiles];

    /// <summary>Reads the ranges of <paramref name="queries"/> queries, cut to <c>[least, limit)</c>.</summary>
    public void Read(int* first, int* last, int queries, int least, int limit)
    {
        Tiles = (queries + AttentionTile.Rows - 1) / AttentionTile.Rows;
        (Low, High) = (int.MaxValue, int.MinValue);
        for (int t = 0; t < Tiles; t++)
        {
            int low = int.MaxValue, high = int.MinValue;
            int end = Math.Min((t + 1) * AttentionTile.Rows, queries);
            for (int i = t * AttentionTile.Rows; i < end; i++)
            {
                int from = Math.Max(first[i], least), to = Math.Min(last[i], limit);
                if (from >= to)
                    continue;
                low = Math.Min(low, from);
                high = Math.Max(high, to);
            }
            _low[t] = low;
            _high[t] = high;
            Low = Math.Min(Low, low);
            High = Math.Max(High, high);
        }
    }

    /// <summary>What tile t sees of the keys <c>start .. start + count - 1</c>, counted from start. False where that is nothing.</summary>
    public bool Within(int t, int start, int count, out int low, out int high)
    {
        low = Math.Max(_low[t] - start, 0);
        // the empty range's bounds would overflow
        high = _high[t] <= start ? 0 : Math.Min(_high[t] - start, count);
        return low < high;
    }

    /// <summary>True where some tile sees one of the keys <c>start .. start + count - 1</c>.</summary>
    public bool Meets(int start, int count)
    {
        for (int t = 0; t < Tiles; t++)
        {
            if (Within(t, start, count, out _, out _))
                return true;
        }
        return false;
    }
}
