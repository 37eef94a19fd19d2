namespace Lorikeet.Kernels;

/// <summary>
/// The queries of a block in tiles, and the key rows that each tile sees, so that products skip what no query of the tile sees. A tile ends where the
/// next query's keys do not meet those seen so far: between documents. So a tile's range holds only keys that one of its queries sees.
/// </summary>
internal unsafe struct KeyRanges
{
    /// <summary>Most queries of a block.</summary>
    public const int MaxQueries = 256;

    /// <summary>Tiles of the block.</summary>
    public int Tiles;
    /// <summary>First key that any query of the block sees.</summary>
    public int Low;
    /// <summary>One past the last key that any query of the block sees; not above <see cref="Low"/> where none sees any.</summary>
    public int High;

    private fixed int _row[MaxQueries + 1];
    private fixed int _low[MaxQueries];
    private fixed int _high[MaxQueries];
    private fixed int _allLow[MaxQueries];
    private fixed int _allHigh[MaxQueries];

    /// <summary>
    /// Reads the ranges of <paramref name="queries"/> queries, cut to <c>[least, limit)</c>, in tiles of up to <paramref name="rows"/> queries that do not go
    /// across multiples of <paramref name="panel"/>.
    /// </summary>
    public void Read(int* first, int* last, int queries, int rows, int panel, int least, int limit)
    {
        (Low, High) = (int.MaxValue, int.MinValue);
        Tiles = 0;
        for (int i = 0; i < queries; Tiles++)
        {
            int low = int.MaxValue, high = int.MinValue, allLow = int.MinValue, allHigh = int.MaxValue;
            int end = Math.Min(Math.Min(i + rows, (i / panel + 1) * panel), queries);
            _row[Tiles] = i;
            for (; i < end; i++)
            {
                int from = Math.Max(first[i], least), to = Math.Min(last[i], limit);
                if (from >= to)
                {
                    allHigh = int.MinValue;
                    continue;
                }
                if (low < high && (from > high || to < low))
                    break;
                low = Math.Min(low, from);
                high = Math.Max(high, to);
                allLow = Math.Max(allLow, from);
                allHigh = Math.Min(allHigh, to);
            }
            _low[Tiles] = low;
            _high[Tiles] = high;
            _allLow[Tiles] = allLow;
            _allHigh[Tiles] = allHigh;
            Low = Math.Min(Low, low);
            High = Math.Max(High, high);
        }
        _row[Tiles] = queries;
    }

    /// <summary>First query of tile t.</summary>
    public int Row(int t) => _row[t];

    /// <summary>Queries of tile t.</summary>
    public int Rows(int t) => _row[t + 1] - _row[t];

    /// <summary>First key that tile t sees; the greatest number where it sees none.</summary>
    public int First(int t) => _low[t];

    /// <summary>What tile t sees of the keys <c>start .. start + count - 1</c>, counted from start. False where that is nothing.</summary>
    public bool Within(int t, int start, int count, out int low, out int high)
    {
        low = Math.Max(_low[t] - start, 0);
        // the empty range's bounds would overflow
        high = _high[t] <= start ? 0 : Math.Min(_high[t] - start, count);
        return low < high;
    }

    /// <summary>What every query of tile t sees of those keys; not a range where that is nothing.</summary>
    public void All(int t, int start, int count, out int low, out int high)
    {
        low = _allLow[t] <= start ? 0 : _allLow[t] - start;
        high = _allHigh[t] <= start ? 0 : Math.Min(_allHigh[t] - start, count);
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
