using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="SoftmaxKernel.Backward"/>.</summary>
internal unsafe struct SoftmaxBackwardJob : IVectorJob<SoftmaxBackwardJob>
{
    public float* Dy, Y, Dx;
    public long Lddy, Ldy, Lddx;
    public int Rows, Dim, PartRows;
    public bool Accumulate;

    /// <inheritdoc/>
    public static void Part<S, V, D>(SoftmaxBackwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* dy = job->Dy + r * job->Lddy;
            float* y = job->Y + r * job->Ldy;
            float dot = (float)RowSum.Wide<ProductTerm, S, V, D>(dy, y, job->Dim);
            Line<S, V, D>(dy, y, dot, job->Dx + r * job->Lddx, job->Accumulate, job->Dim);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<S, V, D>(float* dy, float* y, float dot, float* dx, bool accumulate, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V middle = S.Create(dot);
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
        {
            V d = S.Mul(S.Load(y + i), S.Sub(S.Load(dy + i), middle));
            S.Store(dx + i, accumulate ? S.Add(S.Load(dx + i), d) : d);
        }
        for (; i < n; i++)
            dx[i] = (accumulate ? dx[i] : 0) + y[i] * (dy[i] - dot);
    }
}
