using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Weights whose columns lie in an order of their own: place p of each row in memory holds column <c>order[p]</c>. GPTQ with "act-order" groups columns
/// that are not neighbours; stored by group they are whole blocks. The weight stays as it is, and what it is multiplied with is put into its order.
/// </summary>
public unsafe struct ColumnOrder
{
    /// <summary>Floats of the other factor that are turned at once: 16 MB, which a weight unpacked once more for each hardly shows in.</summary>
    private const long MostFloats = 4 << 20;

    /// <summary>Elements for which waking another thread does not pay.</summary>
    private const int SerialElements = 1 << 14;

    private GemmOperand _from;
    private int* _order;
    private float* _to, _bias;
    private long _stride;
    private int _rows, _columns, _partRows;
    private bool _accumulate;

    /// <summary>Puts the columns of rows that were read as they lie into their places.</summary>
    /// <param name="order">The column at each place.</param>
    /// <param name="rows"><c>[count, columns]</c> without gaps, changed.</param>
    /// <param name="count">Rows.</param>
    /// <param name="columns">Columns.</param>
    public static void Restore(int* order, float* rows, int count, int columns)
    {
        ColumnOrder work = new() { _from = new GemmOperand(rows, DType.F32, columns), _order = order, _to = rows, _stride = columns, _rows = count, _columns = columns };
        work.Run(&RestorePart);
    }

    /// <summary>A product whose factor B has an order.</summary>
    internal static void Multiply(in GemmCall call, KernelTier tier)
    {
        int width = call.B.Transposed ? call.N : call.K, most = (int)Math.Clamp(MostFloats / Math.Max(1, width), 1, Math.Max(1, call.M));
        float* turned = GemmScratch.RentShared((long)most * width);
        for (int first = 0; first < call.M; first += most)
        {
            GemmCall part = call;
            part.M = Math.Min(most, call.M - first);
            part.A = From(call.A, first);
            part.A2 = From(call.A2, first);
            part.C += first * call.StrideC;
            part.B.Order = null;
            if (call.B.Transposed)
                MultiplyTransposed(part, call.B.Order, turned, tier);
            else
                MultiplyPlain(part, call.B.Order, turned, tier);
        }
    }

    /// <summary>Sums run over the weight's columns: those of A take its order.</summary>
    private static void MultiplyPlain(GemmCall call, int* order, float* turned, KernelTier tier)
    {
        ColumnOrder work = new() { _from = call.A, _order = order, _to = turned, _stride = call.K, _rows = call.M, _columns = call.K };
        work.Run(&GatherPart);
        call.A = new GemmOperand(turned, DType.F32, call.K);
        Gemm.Run(call, tier, dots: null);
    }

    /// <summary>The result has the weight's columns in its order.</summary>
    private static void MultiplyTransposed(in GemmCall call, int* order, float* turned, KernelTier tier)
    {
        GemmCall product = call;
        (product.StrideC, product.K2, product.Accumulate) = (call.N, 0, false);
        product.C = turned;
        product.Bias = null;
        Gemm.Run(product, tier, dots: null);
        ColumnOrder work = new()
        {
            _from = new GemmOperand(turned, DType.F32, call.N),
            _order = order,
            _to = call.C,
            _stride = call.StrideC,
            _rows = call.M,
            _columns = call.N,
            _bias = call.Bias,
            _accumulate = call.Accumulate,
        };
        work.Run(&ScatterPart);
        if (call.K2 > 0)
            Gemm.RunSecond(call, tier);
    }

    private static GemmOperand From(GemmOperand x, int row)
    {
        x.Data = x.Transposed ? (byte*)x.Data + (long)row * x.Type.BlockBytes() : x.Row(row);
        return x;
    }

    private void Run(delegate*<void*, int, void> part)
    {
        _partRows = Math.Max(1, SerialElements / Math.Max(1, _columns));
        fixed (ColumnOrder* work = &this)
            ComputePool.Run(part, work, (_rows + _partRows - 1) / _partRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GatherPart(void* context, int part)
    {
        var work = (ColumnOrder*)context;
        int* order = work->_order;
        int columns = work->_columns;
        float* read = work->_from.Type == DType.F32 && !work->_from.Transposed ? null : GemmScratch.Rent(columns);
        for (int row = part * work->_partRows, end = Math.Min(work->_rows, row + work->_partRows); row < end; row++)
        {
            float* from = read == null ? (float*)work->_from.Row(row) : read, to = work->_to + row * work->_stride;
            if (read != null)
                work->ReadRow(row, read);
            for (int p = 0; p < columns; p++)
                to[p] = from[order[p]];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScatterPart(void* context, int part)
    {
        var work = (ColumnOrder*)context;
        int* order = work->_order;
        for (int row = part * work->_partRows, end = Math.Min(work->_rows, row + work->_partRows); row < end; row++)
        {
            float* from = (float*)work->_from.Row(row), to = work->_to + row * work->_stride;
            for (int p = 0; p < work->_columns; p++)
            {
                float value = work->_accumulate ? to[order[p]] + from[p] : from[p];
                to[order[p]] = work->_bias == null ? value : value + work->_bias[order[p]];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RestorePart(void* context, int part)
    {
        var work = (ColumnOrder*)context;
        int* order = work->_order;
        int columns = work->_columns;
        float* read = GemmScratch.Rent(columns);
        for (int row = part * work->_partRows, end = Math.Min(work->_rows, row + work->_partRows); row < end; row++)
        {
            float* to = work->_to + row * work->_stride;
            new ReadOnlySpan<float>(to, columns).CopyTo(new Span<float>(read, columns));
            for (int p = 0; p < columns; p++)
                to[order[p]] = read[p];
        }
    }

    private readonly void ReadRow(int row, float* to)
    {
        if (!_from.Transposed)
        {
            _from.Read(row, 0, _columns, to);
            return;
        }
        for (int p = 0; p < _columns; p++)
            _from.Read(p, row, 1, to + p);
    }
}
