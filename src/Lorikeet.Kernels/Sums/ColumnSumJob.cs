using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// <c>sum[i] += sum_r term(x[r, i], y[r, i], p[r], q[r])</c>: cut by columns, so every sum is taken in the order of the rows.
/// Rows are added up in runs of 32 first, which keeps the rounding of long columns small.
/// </summary>
internal unsafe struct ColumnSumJob<TTerm> : IVectorJob<ColumnSumJob<TTerm>>
    where TTerm : struct, IColumnTerm
{
    private const int Run32 = 32;

    private float* _x, _y, _p, _q, _sum;
    private long _ldx, _ldy;
    private int _rows, _dim, _partColumns;

    /// <summary>Runs it.</summary>
    public static void Run(float* x, long ldx, float* y, long ldy, float* p, float* q, int rows, int dim, float* sum)
    {
        if (rows <= 0 || dim <= 0)
            return;
        // whole lines of 64 floats, so that parts share no cache line and leave no tails
        int partColumns = (int)Math.Clamp((VectorJob.Grain / rows + 63) & ~63, 64, 4096);
        ColumnSumJob<TTerm> job = new()
        {
            _x = x, _y = y, _p = p, _q = q, _sum = sum, _ldx = ldx, _ldy = ldy, _rows = rows, _dim = dim, _partColumns = partColumns,
        };
        VectorJob.Run(&job, (dim + partColumns - 1) / partColumns);
    }

    /// <inheritdoc/>
    public static void Part<S, V, D>(ColumnSumJob<TTerm>* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = part * job->_partColumns, end = Math.Min(i + job->_partColumns, job->_dim);
        for (; i <= end - 4 * S.Count; i += 4 * S.Count)
            Four<S, V, D>(job, i);
        for (; i <= end - S.Count; i += S.Count)
            One<S, V, D>(job, i);
        for (; i < end; i++)
            One<SimdScalar, float, double>(job, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<S, V, D>(ColumnSumJob<TTerm>* job, int column)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        float* to = job->_sum + column;
        V t0 = S.Load(to), t1 = S.Load(to + S.Count), t2 = S.Load(to + 2 * S.Count), t3 = S.Load(to + 3 * S.Count);
        for (int start = 0; start < job->_rows; start += Run32)
        {
            int last = Math.Min(start + Run32, job->_rows);
            V s0 = S.Create(0), s1 = s0, s2 = s0, s3 = s0;
            for (int r = start; r < last; r++)
            {
                float* x = job->_x + r * job->_ldx + column;
                float* y = job->_y + r * job->_ldy + column;
                V p = TTerm.RowScalars > 0 ? S.Create(job->_p[r]) : default, q = TTerm.RowScalars > 1 ? S.Create(job->_q[r]) : default;
                s0 = TTerm.Add<S, V, D>(s0, S.Load(x), TTerm.ReadsY ? S.Load(y) : default, p, q);
                s1 = TTerm.Add<S, V, D>(s1, S.Load(x + S.Count), TTerm.ReadsY ? S.Load(y + S.Count) : default, p, q);
                s2 = TTerm.Add<S, V, D>(s2, S.Load(x + 2 * S.Count), TTerm.ReadsY ? S.Load(y + 2 * S.Count) : default, p, q);
                s3 = TTerm.Add<S, V, D>(s3, S.Load(x + 3 * S.Count), TTerm.ReadsY ? S.Load(y + 3 * S.Count) : default, p, q);
            }
            t0 = S.Add(t0, s0);
            t1 = S.Add(t1, s1);
            t2 = S.Add(t2, s2);
            t3 = S.Add(t3, s3);
        }
        S.Store(to, t0);
        S.Store(to + S.Count, t1);
        S.Store(to + 2 * S.Count, t2);
        S.Store(to + 3 * S.Count, t3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One<S, V, D>(ColumnSumJob<TTerm>* job, int column)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V total = S.Load(job->_sum + column);
        for (int start = 0; start < job->_rows; start += Run32)
        {
            int last = Math.Min(start + Run32, job->_rows);
            V s = S.Create(0);
            for (int r = start; r < last; r++)
            {
                V p = TTerm.RowScalars > 0 ? S.Create(job->_p[r]) : default, q = TTerm.RowScalars > 1 ? S.Create(job->_q[r]) : default;
                s = TTerm.Add<S, V, D>(s, S.Load(job->_x + r * job->_ldx + column),
                    TTerm.ReadsY ? S.Load(job->_y + r * job->_ldy + column) : default, p, q);
            }
            total = S.Add(total, s);
        }
        S.Store(job->_sum + column, total);
    }
}
