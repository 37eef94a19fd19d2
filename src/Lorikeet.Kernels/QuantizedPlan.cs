using System.Runtime.CompilerServices;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// Products in 8 bits with weights whose stored codes are multiplied as integers, on register tiles; several of the same activations run as one job.
/// The activations are quantised before, once for all; threads take panels of weights, each read once for all rows. Sums run over a row's units in
/// their order, whatever the cut: a result is the same bits for any number of rows and threads.
/// </summary>
internal unsafe struct QuantizedPlan
{
    /// <summary>Terms of a block of k: a panel of so many, a byte each, stays in the first cache while all rows meet it.</summary>
    private const int BlockTerms = 768;

    /// <summary>With more rows, unpacking a panel before they meet it pays.</summary>
    private const int FewRows = 24;

    /// <summary>Multiplications for which waking another thread does not pay.</summary>
    private const long SerialProducts = 32 * 1024;

    private static readonly Lock Door = new();
    private static readonly nint[] Tiles = new nint[4 * 2 * PanelLayout.Count * QuantizedTileAssembler.MostRows];

    private GemmCall* _calls;
    private QuantizedStrips _strips;
    private IntegerDots _dots;
    private int _panels, _parts;
    private bool _widens;

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
        x.M == y.M && x.K == y.K && x.Alpha == y.Alpha && x.A.Data == y.A.Data && x.A.Type == y.A.Type && x.A.Stride == y.A.Stride && x.A.Transposed == y.A.Transposed;

    /// <summary>Runs the first products of calls that <see cref="Fits"/>, all of the same activations.</summary>
    public static void Run(GemmCall* calls, int count, IntegerDots dots)
    {
        ref readonly GemmCall call = ref calls[0];
        int maxRows = dots == IntegerDots.Compiled ? QuantizedTile.MaxRows : QuantizedTileAssembler.MaxRows(dots);
        QuantizedPlan plan = new() { _calls = calls, _dots = dots, _strips = QuantizedStrips.Of(call.A, call.M, call.K, call.Alpha, maxRows) };
        for (int i = 0; i < count; i++)
            plan._panels += Panels(calls[i]);
        if (call.M <= 0 || plan._panels == 0)
            return;
        plan._strips.Fill((byte*)GemmScratch.RentShared(plan._strips.Floats));
        int threads = ComputePool.Threads;
        long products = (long)plan._panels * PanelLayout.Columns * call.M * call.K;
        plan._widens = call.M > FewRows;
        plan._parts = threads == 1 ? 1 : plan._widens ? plan._panels : (int)Math.Clamp(products / SerialProducts, 1, Math.Min(4 * threads, plan._panels));
        ComputePool.Run(&Part, &plan, plan._parts);
    }

    private static int Panels(in GemmCall call) => (call.N + PanelLayout.Columns - 1) / PanelLayout.Columns;

    private static void Part(void* context, int part)
    {
        var plan = (QuantizedPlan*)context;
        int begin = (int)((long)plan->_panels * part / plan->_parts), end = (int)((long)plan->_panels * (part + 1) / plan->_parts);
        // panels of all calls are numbered through
        for (GemmCall* call = plan->_calls; begin < end; call++)
        {
            int panels = Panels(*call);
            if (begin < panels)
                plan->Columns(*call, begin, Math.Min(end, panels));
            begin = Math.Max(0, begin - panels);
            end -= panels;
        }
    }

    [SkipLocalsInit]
    private readonly void Columns(in GemmCall call, int begin, int end)
    {
        DType type = call.B.Type;
        PanelLayout stored = PanelLayout.Of(type), layout = _widens && stored.Nibbles ? stored.Widened : stored;
        nint whole = stored.Bytes(call.K), longest = stored.Bytes(BlockTerms);
        byte* scratch = (byte*)GemmScratch.Rent((longest + layout.Bytes(BlockTerms)) / sizeof(float));
        float* edge = stackalloc float[QuantizedTileAssembler.MostRows * PanelLayout.Columns];
        for (int panel = begin; panel < end; panel++)
        {
            int column = panel * PanelLayout.Columns, columns = Math.Min(PanelLayout.Columns, call.N - column);
            bool inside = columns == PanelLayout.Columns;
            for (int k = 0; k < call.K; k += BlockTerms)
            {
                int terms = Math.Min(BlockTerms, call.K - k);
                bool accumulate = call.Accumulate || k > 0;
                float* bias = k == 0 && call.Bias != null ? call.Bias + column : null;
                byte* weights = scratch;
                if (call.B.Panels != null)
                    weights = call.B.Panels + panel * whole + stored.Bytes(k);
                else
                    QuantizedPanels.Pack(call.B, column, columns, k, terms, scratch);
                if (layout != stored)
                {
                    QuantizedPanels.Widen(stored, weights, terms / PanelLayout.Terms, scratch + longest);
                    weights = scratch + longest;
                }
                GemmTileCall tile = new() { B = weights, Steps = terms / PanelLayout.Terms, Bias = inside ? bias : null, Accumulate = inside && accumulate ? 1 : 0 };
                for (int strip = 0; strip < _strips.Count; strip++)
                {
                    int row = _strips.First(strip), rows = _strips.First(strip + 1) - row;
                    float* c = call.C + row * call.StrideC + column;
                    tile.A = _strips.At(strip, k);
                    tile.C = inside ? c : edge;
                    tile.CStep = (inside ? (nint)call.StrideC : PanelLayout.Columns) * sizeof(float);
                    if (_dots == IntegerDots.Compiled)
                        QuantizedTile.Run(layout, rows, &tile);
                    else
                        ((delegate* unmanaged[SuppressGCTransition]<GemmTileCall*, void>)Tile(type, layout, rows))(&tile);
                    if (!inside)
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
