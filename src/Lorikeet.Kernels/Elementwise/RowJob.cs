using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// <c>y[r, i] = op(a[r, i], b[r, i], c[r, i], s)</c> over <c>[rows, dim]</c>. A stride of 0 repeats one row (a bias, a scale).
/// Each element depends on its own inputs alone, so y may be any of them and the cut into parts changes nothing.
/// </summary>
internal unsafe struct RowJob<TOp> : IVectorJob<RowJob<TOp>>
    where TOp : struct, IRowOp
{
    private float* _a, _b, _c, _y;
    private long _lda, _ldb, _ldc, _ldy, _dim, _partColumns;
    private float _s;
    private int _rows, _partRows, _columnParts;

    /// <summary>One contiguous vector.</summary>
    public static void Run(float* a, float* b, float* c, float* y, float s, long n) => Run(a, 0, b, 0, c, 0, y, 0, s, 1, n);

    /// <summary>Rows with strides.</summary>
    public static void Run(float* a, long lda, float* b, long ldb, float* c, long ldc, float* y, long ldy, float s, int rows, long dim,
        int grain = VectorJob.Grain)
    {
        if (rows <= 0 || dim <= 0)
            return;
        if (rows > 1 && ldy == dim && (TOp.Inputs < 1 || lda == dim) && (TOp.Inputs < 2 || ldb == dim) && (TOp.Inputs < 3 || ldc == dim))
        {
            dim *= rows;
            rows = 1;
        }
        long size = VectorJob.PartSize(rows * dim, grain);
        long columnParts = (dim + size - 1) / size;
        long partColumns = ((dim + columnParts - 1) / columnParts + 63) & ~63L;
        columnParts = (dim + partColumns - 1) / partColumns;
        int partRows = (int)Math.Clamp(size / dim, 1, rows);
        RowJob<TOp> job = new()
        {
            _a = a, _b = b, _c = c, _y = y,
            _lda = lda, _ldb = ldb, _ldc = ldc, _ldy = ldy,
            _s = s, _rows = rows, _dim = dim,
            _partRows = partRows, _partColumns = partColumns, _columnParts = (int)columnParts,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows * (int)columnParts);
    }

    /// <inheritdoc/>
    public static void Part<S, V, D>(RowJob<TOp>* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part / job->_columnParts * job->_partRows;
        int last = Math.Min(first + job->_partRows, job->_rows);
        long start = part % job->_columnParts * job->_partColumns;
        long count = Math.Min(job->_partColumns, job->_dim - start);
        for (int r = first; r < last; r++)
        {
            Line<S, V, D>(job->_a + r * job->_lda + start, job->_b + r * job->_ldb + start, job->_c + r * job->_ldc + start,
                job->_y + r * job->_ldy + start, job->_s, count);
        }
    }

    /// <summary>One row, or a piece of one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Line<S, V, D>(float* a, float* b, float* c, float* y, float s, long n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V scalar = S.Create(s);
        long i = 0;
        for (; i <= n - S.Count; i += S.Count)
        {
            S.Store(y + i, TOp.Apply<S, V, D>(TOp.Inputs > 0 ? S.Load(a + i) : default, TOp.Inputs > 1 ? S.Load(b + i) : default,
                TOp.Inputs > 2 ? S.Load(c + i) : default, scalar));
        }
        for (; S.Count > 1 && i < n; i++)
        {
            y[i] = TOp.Apply<SimdScalar, float, double>(TOp.Inputs > 0 ? a[i] : 0, TOp.Inputs > 1 ? b[i] : 0, TOp.Inputs > 2 ? c[i] : 0, s);
        }
    }
}
