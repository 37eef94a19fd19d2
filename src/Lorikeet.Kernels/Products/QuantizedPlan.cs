using System.Runtime.CompilerServices;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// Products in 8 bits with weights whose stored codes are multiplied as integers, on register tiles; several of the same activations run as one job.
/// The activations are quantised before, once for all; threads take panels of weights, each read once for all rows that stay in the second cache. Sums run over a row's units in
/// their order, whatever the cut: a result is the same bits for any number of rows and threads.
/// </summary>
internal unsafe struct QuantizedPlan
{
    /// <summary>Rows of the highest tile of all.</summary>
    private const int MostRows = 14;

    /// <summary>With more rows, unpacking a panel before they meet it pays.</summary>
    private const int FewRows = 24;

    /// <summary>Bytes of activations that stay in the second cache while panels meet them.</summary>
    private const long ChunkBytes = 512 * 1024;

    /// <summary>Panels that a thread takes at once, so that it knows which is next, where there are many.</summary>
    private const int MostPanels = 8;

    /// <summary>Multiplications for which waking another thread does not pay.</summary>
    private const long SerialProducts = 32 * 1024;

    private static readonly Lock Door = new();
    private static readonly nint[] Tiles = new nint[4 * 2 * PanelLayout.Count * QuantizedTileAssembler.MostRows];

    private GemmCall* _calls;
    private QuantizedStrips _strips;
    private IntegerDots _dots;
    private int _panels, _chunks, _parts;
    private bool _many;

    /// <summary>What a tier multiplies codes with, or null for the reference, which multiplies none.</summary>
    public static IntegerDots? DotsOf(KernelTier tier) => tier switch
    {
        KernelTier.Reference => null,
        KernelTier.Assembled512 when ProcessorFeatures.Avx512Vnni => IntegerDots.Avx512Vnni,
        KernelTier.Assembled512 or KernelTier.Assembled256 => ProcessorFeatures.AvxVnni ? IntegerDots.AvxVnni : IntegerDots.Avx2,
        _ => IntegerDots.Compiled,
    };

    /// <summary>True where the weights are of a kind whose codes are multiplied.</summary>
    public static bool Fits(in GemmCall call) => !call.B.Transposed && QuantizedPanels.Fits(call.B.Type, call.K);

    /// <summary>True where two products can run as one job.</summary>
    public static bool Together(in GemmCall x, in GemmCall y) =>
        x.M == y.M && x.K == y.K && x.Alpha == y.Alpha && PanelLayout.Of(x.B.Type).ByRows == PanelLayout.Of(y.B.Type).ByRows
        && x.A.Data == y.A.Data && x.A.Type == y.A.Type && x.A.Stride == y.A.Stride && x.A.Transposed == y.A.Transposed;

    /// <summary>Runs the first products of calls that <see cref="Fits"/>, all of the same activations.</summary>
    public static void Run(GemmCall* calls, int count, IntegerDots dots)
    {
        ref readonly GemmCall call = ref calls[0];
        bool byRows = PanelLayout.Of(call.B.Type).ByRows;
        QuantizedPlan plan = new() { _calls = calls, _dots = dots, _strips = QuantizedStrips.Of(call.A, call.M, call.K, call.Alpha, MaxRows(dots, byRows), byRows) };
        for (int i = 0; i < count; i++)
            plan._panels += Panels(calls[i]);
        if (call.M <= 0 || plan._panels == 0)
            return;
        plan._strips.Fill((byte*)GemmScratch.RentShared(plan._strips.Floats));
        int threads = ComputePool.Threads;
        long products = (long)plan._panels * PanelLayout.Columns * call.M * call.K;
        plan._many = call.M > FewRows;
        plan._chunks = plan._many ? (int)((plan._strips.Floats * sizeof(float) - 1) / ChunkBytes) + 1 : 1;
        int together = (int)Math.Clamp((long)plan._panels * plan._chunks / (16 * threads), 1, MostPanels);
        plan._parts = plan._many ? (plan._panels + together - 1) / together * plan._chunks : threads == 1 ? 1 : (int)Math.Clamp(products / SerialProducts, 1, Math.Min(4 * threads, plan._panels));
        ComputePool.Run(&Part, &plan, plan._parts);
    }

    private static int MaxRows(IntegerDots dots, bool byRows) => byRows ? ByteTile.MaxRows(dots)
        : dots == IntegerDots.Compiled ? QuantizedTile.MaxRows : QuantizedTileAssembler.MaxRows(dots);

    private static int Panels(in GemmCall call) => (call.N + PanelLayout.Columns - 1) / PanelLayout.Columns;

    private static void Part(void* context, int part)
    {
        var plan = (QuantizedPlan*)context;
        int parts = plan->_parts / plan->_chunks, chunk = part / parts;
        part %= parts;
        int begin = (int)((long)plan->_panels * part / parts), end = (int)((long)plan->_panels * (part + 1) / parts);
        // panels of all calls are numbered through
        for (GemmCall* call = plan->_calls; begin < end; call++)
        {
            int panels = Panels(*call);
            if (begin < panels)
                plan->Columns(*call, chunk, begin, Math.Min(end, panels));
            begin = Math.Max(0, begin - panels);
            end -= panels;
        }
    }

    [SkipLocalsInit]
    private readonly void Columns(in GemmCall call, int chunk, int begin, int end)
    {
        DType type = call.B.Type;
        PanelLayout stored = PanelLayout.Of(type), layout = _many && stored.Nibbles ? stored.Widened : stored;
        const int blockTerms = PanelLayout.BlockTerms;
        nint whole = stored.PanelBytes(call.K), longest = stored.Bytes(blockTerms);
        int firstStrip = (int)((long)_strips.Count * chunk / _chunks), lastStrip = (int)((long)_strips.Count * (chunk + 1) / _chunks);
        int firstRow = _strips.First(firstStrip);
        // sums of tiles that wait for the next block
        bool wait = stored.ByRows && call.K > blockTerms;
        long sumsCount = (long)PanelLayout.Columns * (wait ? _strips.First(lastStrip) - firstRow : MostRows);
        float* sums = GemmScratch.Rent(sumsCount + (stored.PanelBytes(blockTerms) + layout.Bytes(blockTerms)) / sizeof(float));
        byte* scratch = (byte*)(sums + sumsCount);
        ByteTileCall tile = default;
        float* edge = stackalloc float[MostRows * PanelLayout.Columns];
        for (int panel = begin; panel < end; panel++)
        {
            int column = panel * PanelLayout.Columns, columns = Math.Min(PanelLayout.Columns, call.N - column);
            bool inside = columns == PanelLayout.Columns;
            byte* block = call.B.Panels + panel * whole;
            for (int k = 0; k < call.K; k += blockTerms, block += longest)
            {
                int terms = Math.Min(blockTerms, call.K - k);
                bool accumulate = call.Accumulate || k > 0 && !stored.ByRows;
                float* bias = (k == 0 || stored.ByRows) && call.Bias != null ? call.Bias + column : null;
                byte* weights = scratch;
                if (call.B.Panels != null)
                    weights = block;
                else
                    QuantizedPanels.Pack(call.B, column, columns, k, terms, scratch);
                if (layout != stored)
                {
                    QuantizedPanels.Widen(stored, weights, terms / PanelLayout.Terms, scratch + longest);
                    weights = scratch + longest;
                }
                int steps = terms / (layout.ByRows ? 4 : PanelLayout.Terms);
                tile.Tile = new() { B = weights, Steps = steps, Bias = inside ? bias : null, Accumulate = inside && accumulate ? 1 : 0 };
                // what is read after this comes near while this is used
                byte* next = block + stored.Bytes(terms), last = call.B.Panels == null ? next : call.B.Panels + end * whole;
                for (int strip = firstStrip; strip < lastStrip; strip++)
                {
                    int row = _strips.First(strip), rows = _strips.First(strip + 1) - row;
                    float* c = call.C + row * call.StrideC + column;
                    tile.Tile.A = _strips.At(strip, k);
                    tile.Tile.C = inside ? c : edge;
                    tile.Tile.CStep = (inside ? (nint)call.StrideC : PanelLayout.Columns) * sizeof(float);
                    tile.Tile.Next = next < last ? next : weights;
                    next += steps * (layout.ByRows ? ByteTileAssembler.FetchedByStep : QuantizedTileAssembler.FetchedByUnit);
                    if (layout.ByRows)
                    {
                        tile.Sums = wait ? sums + (row - firstRow) * PanelLayout.Columns : sums;
                        tile.Last = k + terms == call.K ? 1 : 0;
                        tile.First = k == 0 ? 1 : 0;
                        ByteTile.Run(_dots, rows, &tile);
                    }
                    else if (_dots == IntegerDots.Compiled)
                        QuantizedTile.Run(layout, rows, &tile.Tile);
                    else
                        ((delegate* unmanaged[SuppressGCTransition]<GemmTileCall*, void>)Tile(type, layout, rows))(&tile.Tile);
                    if (!inside && (!layout.ByRows || tile.Last != 0))
                        Spread(edge, rows, columns, c, call.StrideC, bias, accumulate);
                }
            }
        }
    }

    /// <summary>Moves a tile that is broader than what is left of C.</summary>
    private static void Spread(float* edge, int rows, int columns, float* c, long stride, float* bias, bool accumulate)
    {
        for (int i = 0; i < rows; i++, edge += PanelLayout.Columns, c += stride)
        {
            for (int j = 0; j < columns; j++)
            {
                float value = accumulate ? edge[j] + c[j] : edge[j];
                c[j] = bias == null ? value : value + bias[j];
            }
        }
    }

    private readonly nint Tile(DType type, PanelLayout layout, int rows)
    {
        ref nint tile = ref Tiles[(((int)_dots * 2 + (layout.Nibbles ? 1 : 0)) * PanelLayout.Count + PanelLayout.Index(type)) * QuantizedTileAssembler.MostRows + rows - 1];
        if (Volatile.Read(ref tile) == 0)
        {
            lock (Door)
            {
                if (tile == 0)
                    Volatile.Write(ref tile, QuantizedTileAssembler.Tile(layout, _dots, rows).Publish());
            }
        }
        return tile;
    }
}
