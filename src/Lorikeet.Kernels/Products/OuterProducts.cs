using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Products of two factors that both lie as <c>[k, rows]</c>, one of them narrow: the derivatives of low-rank factors. They are sums of outer products of
/// rows of memory, and their cost is reading the wide factor. So each thread takes columns of it and reads them once, where they lie. Tiles have the narrow
/// factor's columns as their rows, whichever factor of the product it is; their sums stay in the second cache, and C takes them at the end, turned where it must.
/// </summary>
internal unsafe struct OuterProducts
{
    /// <summary>Columns of a narrow factor at most.</summary>
    public const int MostRows = 64;

    /// <summary>Terms of the sums of one tile before those of the next: as many rows of memory are near, and as many more on their way.</summary>
    private const int ChunkTerms = 48;

    private GemmCall _call;
    private KernelTier _tier;
    private GemmOperand _narrow, _wide;
    private int _rows, _columns, _parts;
    private bool _turned;

    /// <summary>Columns of a part at most: two chunks of them take a fifth of the second cache, their sums as much at most.</summary>
    private static int PartColumns => ProcessorFeatures.SecondCacheBytes / (10 * ChunkTerms * sizeof(float));

    private readonly GemmTiles Tiles => GemmTiles.InPlace(_tier);

    private readonly int Panel => 2 * Tiles.Lanes;

    private readonly int Panels => (_columns + Panel - 1) / Panel;

    /// <summary>True where <see cref="Run"/> does the product better than <see cref="GemmPlan"/>.</summary>
    public static bool Fits(in GemmCall call) => call.A.Transposed && call.B.Transposed && Math.Min(call.M, call.N) <= MostRows && call.K2 == 0 && call.Bias == null
        && call.Precision != GemmPrecision.BF16 && GemmPack.IsDirect(call.A.Type) && GemmPack.IsDirect(call.B.Type);

    /// <summary>Runs a product that <see cref="Fits"/> on the tiles of a tier.</summary>
    public static void Run(in GemmCall call, KernelTier tier)
    {
        if (call.M <= 0 || call.N <= 0)
            return;
        OuterProducts job = new() { _call = call, _tier = tier, _turned = call.N < call.M };
        (job._narrow, job._rows, job._wide, job._columns) = job._turned ? (call.B, call.N, call.A, call.M) : (call.A, call.M, call.B, call.N);
        int threads = (long)call.M * call.N * call.K < GemmPlan.SerialWork ? 1 : ComputePool.Threads;
        int turns = (job._columns - 1) / (PartColumns * threads) + 1;
        job._parts = Math.Min(turns * threads, job.Panels);
        ComputePool.Run(&Part, &job, job._parts);
    }

    private static void Part(void* context, int part)
    {
        var job = (OuterProducts*)context;
        int panel = job->Panel, panels = job->Panels;
        int first = (int)((long)panels * part / job->_parts) * panel, end = (int)((long)panels * (part + 1) / job->_parts) * panel;
        job->Columns(first, Math.Min(end, job->_columns) - first);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Columns(int column, int columns)
    {
        int panel = Panel, panels = (columns + panel - 1) / panel;
        bool narrowInPlace = _narrow.Type == DType.F32, by8 = _tier >= KernelTier.Vector256;
        // what has to be widened is packed, and so is a last panel that is not full
        int inPlace = _wide.Type == DType.F32 ? columns / panel * panel : 0;
        nint panelSums = _rows * panel, wideFloats = ChunkTerms * (panels * panel - inPlace), narrowFloats = ChunkTerms * _rows;
        float* sums = GemmScratch.Rent((panels + 1) * panelSums + wideFloats + narrowFloats + GemmPack.Slack);
        float* wide = sums + panels * panelSums, narrow = wide + wideFloats, turned = narrow + narrowFloats;
        for (int k = 0; k < _call.K; k += ChunkTerms)
        {
            int terms = Math.Min(ChunkTerms, _call.K - k);
            GemmPack.Panels(_wide, column + inPlace, columns - inPlace, k, terms, 1, wide, panel, (nint)terms * panel, by8, null);
            if (!narrowInPlace)
                GemmPack.Panels(_narrow, 0, _rows, k, terms, 1, narrow, _rows, 0, by8, null);
            GemmTileCall call = new()
            {
                A = narrowInPlace ? _narrow.Row(k) : narrow,
                AStep = (nint)(narrowInPlace ? _narrow.Stride : _rows) * sizeof(float),
                Steps = terms,
                Accumulate = k > 0 ? 1 : 0,
            };
            for (int j = 0; j < columns; j += panel)
            {
                bool there = j < inPlace;
                call.B = there ? (float*)_wide.Row(k) + column + j : wide + (nint)(j - inPlace) * terms;
                call.BStep = (nint)(there ? _wide.Stride : panel) * sizeof(float);
                call.BAhead = there && k + 2 * ChunkTerms <= _call.K ? ChunkTerms * call.BStep : 0;
                Sum(call, sums + j / panel * panelSums);
            }
        }
        for (int j = 0; j < columns; j += panel, sums += panelSums)
        {
            int count = Math.Min(panel, columns - j);
            if (!_turned)
                Finish(sums, panel, _call.C + column + j, _rows, count);
            for (int row = 0; _turned && row < _rows; row += GemmPack.MaxWidth)
            {
                int rows = Math.Min(_rows - row, GemmPack.MaxWidth);
                GemmPack.Panels(new GemmOperand(sums, DType.F32, panel), row, rows, 0, count, 1, turned, rows, 0, by8, null);
                Finish(turned, rows, _call.C + (column + j) * _call.StrideC + row, count, rows);
            }
        }
    }

    /// <summary>All rows of one panel, in tiles of about the same height.</summary>
    private readonly void Sum(GemmTileCall call, float* sums)
    {
        GemmTiles tiles = Tiles;
        int panel = 2 * tiles.Lanes;
        call.C = sums;
        call.CStep = panel * sizeof(float);
        call.Next = call.NextEnd = sums;
        int left = (_rows + tiles.MaxRows - 1) / tiles.MaxRows;
        for (int row = 0, height; row < _rows; row += height, left--)
        {
            height = (_rows - row + left - 1) / left;
            tiles.Run(height, 2, false, &call);
            call.A = (float*)call.A + height;
            call.C += height * panel;
        }
    }

    private readonly void Finish(float* sums, int stride, float* c, int rows, int columns)
    {
        for (int i = 0; i < rows && !_call.Accumulate; i++)
            new Span<float>(c + i * _call.StrideC, columns).Clear();
        if (_call.K > 0)
            VectorKernel.AxpyRows(_call.Alpha, sums, stride, c, _call.StrideC, rows, columns);
    }
}
