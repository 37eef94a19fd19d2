namespace Lorikeet.Kernels;

/// <summary>
/// The innermost products of attention: tiles of products whose left factor is read by columns or by rows. So a block of scores is a factor as it stands and as
/// its transpose, and so are queries, keys and values; only right factors that run along their rows are packed into panels.
/// </summary>
internal sealed unsafe class AttentionTiles
{
    private static readonly AttentionTiles?[] Known = new AttentionTiles?[(int)KernelTier.Assembled512 + 1];

    private readonly GemmTiles _tiles;
    private readonly bool _assembled;

    private AttentionTiles(KernelTier tier)
    {
        _tiles = GemmTiles.Of(tier);
        _assembled = tier != tier.Compiled();
    }

    /// <summary>Columns of a panel: two registers.</summary>
    public int Width => 2 * _tiles.Lanes;

    /// <summary>Rows of a tile; blocks are whole numbers of tiles.</summary>
    public int Rows => _tiles.MaxRows >= 12 ? 12 : 6;

    /// <summary>Rows of a tile where a panel's columns are its rows: a panel's share, as equal as can be.</summary>
    public int PanelRows
    {
        get
        {
            int parts = (Width + _tiles.MaxRows - 1) / _tiles.MaxRows;
            return (Width + parts - 1) / parts;
        }
    }

    /// <summary>
    /// Floats from row to row of a copy with <paramref name="dim"/> columns: room for whole panels, and an odd number of lines, which spreads columns over the
    /// sets of a cache.
    /// </summary>
    public int RowStep(int dim) => (dim + Width - 1) / Width * Width + (Width < 16 ? Width : 16);

    /// <summary>True where panels are turned by registers of eight.</summary>
    public bool Wide => _tiles.Lanes >= 8;

    /// <summary>The tiles of a tier.</summary>
    public static AttentionTiles Of(KernelTier tier) => Known[(int)tier] ??= new AttentionTiles(tier);

    /// <summary>
    /// <c>C[r, j] (+)= sum_p a[p * aStep + r] * b[p * bStep + j]</c> for as many columns as are wanted; whole registers are written. Panels of B are
    /// <paramref name="bPanel"/> floats apart.
    /// </summary>
    public void Run(float* a, int aStep, int rows, float* b, int bStep, nint bPanel, int steps, float* c, int cStep, int columns, bool accumulate)
    {
        while (columns > 0)
        {
            // panels of two registers; assembled tiles go from one to the next by themselves
            int wide = (columns + _tiles.Lanes - 1) / Width, panels = _assembled ? Math.Max(wide, 1) : 1;
            GemmTileCall call = new()
            {
                A = a, AStep = aStep * sizeof(float), B = b, BStep = bStep * sizeof(float), Steps = steps, Panels = panels, BPanel = bPanel * sizeof(float),
                C = c, CStep = cStep * sizeof(float), Accumulate = accumulate ? 1 : 0, Next = b, NextEnd = b,
            };
            _tiles.Run(rows, wide > 0 ? 2 : 1, apart: false, &call);
            b += panels * bPanel;
            c += panels * Width;
            columns -= panels * Width;
        }
    }

    /// <summary><c>C[r, j] (+)= sum_p a[r * aRow + p] * b[p * width + j]</c> for all columns of some panels that lie one after another.</summary>
    public void RunRows<S, V, D>(float* a, long aRow, int rows, float* b, int panels, int steps, float* c, long cStep, bool accumulate)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        if (_assembled)
        {
            GemmTileCall call = new()
            {
                A = a, AStep = sizeof(float), ARow = (nint)aRow * sizeof(float), B = b, BStep = Width * sizeof(float), Steps = steps,
                Panels = panels, BPanel = (nint)steps * Width * sizeof(float),
                C = c, CStep = (nint)cStep * sizeof(float), Accumulate = accumulate ? 1 : 0, Next = b, NextEnd = b,
            };
            _tiles.Run(rows, 2, apart: true, &call);
            return;
        }
        for (int panel = 0; panel < panels; panel++)
            RunCompiled<S, V, D>(a, (nint)aRow, rows, b + (nint)panel * steps * Width, steps, c + panel * Width, (nint)cStep, accumulate);
    }

    private void RunCompiled<S, V, D>(float* a, nint aRow, int rows, float* b, int steps, float* c, nint cStep, bool accumulate)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        float* ones = stackalloc float[AttentionTile.Rows] { 1, 1, 1, 1, 1, 1 };
        for (int r = 0; r < rows; r += AttentionTile.Rows)
        {
            for (int j = 0; j < Width; j += 2 * S.Count)
            {
                AttentionTile.Run<S, V, D>(a + r * aRow, aRow, 1, Math.Min(AttentionTile.Rows, rows - r), b + j, Width, steps,
                    c + r * cStep + j, cStep, accumulate ? ones : null);
            }
        }
    }
}
