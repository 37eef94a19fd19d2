using System.Runtime.CompilerServices;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>
/// Products of many rows in 8 bits with weights whose stored codes are multiplied as integers, on register tiles. Threads take columns of C and
/// unpack their weights once; the activations are quantised before, once for all. Sums run over a row's groups in their order, whatever the cut.
/// </summary>
internal unsafe struct QuantizedPlan
{
    /// <summary>Terms of a block of k: a strip of activations of so many stays in the first cache.</summary>
    private const int BlockTerms = 2048;

    /// <summary>Bytes of panels that are unpacked at once, for the second cache.</summary>
    private const int BlockBytes = 512 * 1024;

    private static readonly Lock Door = new();
    private static readonly nint[] Tiles = new nint[3 * QuantizedTileAssembler.MaxRows];

    private GemmCall _call;
    private QuantizedStrips _strips;
    private int _panels, _parts;

    /// <summary>Runs the first product; the caller knows that <see cref="QuantizedGemm.Fits"/>.</summary>
    public static void Run(in GemmCall call)
    {
        QuantizedPlan plan = new()
        {
            _call = call,
            _strips = QuantizedStrips.Of(call.A, call.M, call.K, call.Alpha, call.B.Type),
            _panels = (call.N + QuantizedPanels.Columns - 1) / QuantizedPanels.Columns,
        };
        plan._strips.Fill((byte*)GemmScratch.RentShared(plan._strips.Floats));
        int threads = ComputePool.Threads;
        plan._parts = threads == 1 ? 1 : Math.Min(4 * threads, plan._panels);
        ComputePool.Run(&Part, &plan, plan._parts);
    }

    private static void Part(void* context, int part)
    {
        var plan = (QuantizedPlan*)context;
        plan->Panels((int)((long)plan->_panels * part / plan->_parts), (int)((long)plan->_panels * (part + 1) / plan->_parts));
    }

    [SkipLocalsInit]
    private readonly void Panels(int begin, int end)
    {
        DType type = _call.B.Type;
        int steps = QuantizedPanels.Steps(type);
        nint longest = QuantizedPanels.Bytes(type, Math.Min(_call.K, BlockTerms));
        int most = (int)Math.Clamp(BlockBytes / longest, 1, end - begin);
        float* edge = stackalloc float[QuantizedTileAssembler.MaxRows * QuantizedPanels.Columns];
        byte* codes = stackalloc byte[QuantizedPanels.Columns * 256];
        byte* packed = (byte*)GemmScratch.Rent(most * longest / sizeof(float));
        for (int k = 0; k < _call.K; k += BlockTerms)
        {
            int terms = Math.Min(BlockTerms, _call.K - k);
            nint bytes = QuantizedPanels.Bytes(type, terms);
            bool accumulate = _call.Accumulate || k > 0;
            float* bias = k == 0 ? _call.Bias : null;
            for (int from = begin; from < end; from += most)
            {
                int to = Math.Min(end, from + most);
                for (int panel = from; panel < to; panel++)
                {
                    int column = panel * QuantizedPanels.Columns;
                    QuantizedPanels.Pack(_call.B, column, Math.Min(QuantizedPanels.Columns, _call.N - column), k, terms, packed + (panel - from) * bytes, codes);
                }
                for (int strip = 0; strip < _strips.Count; strip++)
                {
                    int row = _strips.First(strip), rows = _strips.First(strip + 1) - row;
                    nint tile = Tile(type, rows);
                    GemmTileCall call = new() { A = _strips.At(strip, k), Steps = terms / (4 * steps) };
                    for (int panel = from; panel < to; panel++)
                    {
                        int column = panel * QuantizedPanels.Columns;
                        bool whole = column + QuantizedPanels.Columns <= _call.N;
                        float* c = _call.C + row * _call.StrideC + column;
                        call.B = packed + (panel - from) * bytes;
                        call.C = whole ? c : edge;
                        call.CStep = (whole ? (nint)_call.StrideC : QuantizedPanels.Columns) * sizeof(float);
                        call.Bias = whole && bias != null ? bias + column : null;
                        call.Accumulate = whole && accumulate ? 1 : 0;
                        ((delegate* unmanaged[SuppressGCTransition]<GemmTileCall*, void>)tile)(&call);
                        if (!whole)
                            Spread(edge, rows, _call.N - column, c, bias == null ? null : bias + column, accumulate);
                    }
                }
            }
        }
    }

    /// <summary>Moves a tile that is broader than what is left of C.</summary>
    private readonly void Spread(float* edge, int rows, int columns, float* c, float* bias, bool accumulate)
    {
        for (int i = 0; i < rows; i++, edge += QuantizedPanels.Columns, c += _call.StrideC)
        {
            for (int j = 0; j < columns; j++)
            {
                float value = accumulate ? edge[j] + c[j] : edge[j];
                c[j] = bias == null ? value : value + bias[j];
            }
        }
    }

    private static nint Tile(DType type, int rows)
    {
        int kind = QuantizedPanels.HasMinimum(type) ? 2 : QuantizedPanels.Steps(type) == 4 ? 1 : 0;
        ref nint tile = ref Tiles[kind * QuantizedTileAssembler.MaxRows + rows - 1];
        if (Volatile.Read(ref tile) == 0)
        {
            lock (Door)
            {
                if (tile == 0)
                    Volatile.Write(ref tile, QuantizedTileAssembler.Tile(rows, QuantizedPanels.Steps(type), QuantizedPanels.HasMinimum(type)).Publish());
            }
        }
        return tile;
    }
}
