using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="RmsNormKernel.Backward"/>: <c>dx = inverse * (dy w - x inverse^2 mean(dy w x))</c>.</summary>
internal unsafe struct RmsNormBackwardJob : IVectorJob<RmsNormBackwardJob>
{
    public float* Dy, X, Weight, InverseRms, Dx;
    public long Lddy, Ldx, Lddx;
    public float WeightOffset;
    public int Rows, Dim, PartRows;
    public bool Accumulate;

    /// <inheritdoc/>
    public static void Part<S, V, D>(RmsNormBackwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* dy = job->Dy + r * job->Lddy;
            float* x = job->X + r * job->Ldx;
            float inverse = job->InverseRms[r];
            float dot = job->Weight == null
                ? RowSum.Single<MulOp, S, V, D>(dy, x, null, 0, job->Dim)
                : RowSum.Single<NormDot, S, V, D>(dy, x, job->Weight, job->WeightOffset, job->Dim);
            Line<S, V, D>(dy, x, job->Weight, job->WeightOffset, inverse, inverse * inverse * inverse * (dot / job->Dim),
                job->Dx + r * job->Lddx, job->Accumulate, job->Dim);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<S, V, D>(float* dy, float* x, float* weight, float offset, float direct, float back, float* dx, bool accumulate, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
            Step<S, V, D>(dy + i, x + i, weight == null ? null : weight + i, offset, direct, back, dx + i, accumulate);
        for (; S.Count > 1 && i < n; i++)
            Step<SimdScalar, float, double>(dy + i, x + i, weight == null ? null : weight + i, offset, direct, back, dx + i, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S, V, D>(float* dy, float* x, float* weight, float offset, float direct, float back, float* dx, bool accumulate)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V d = S.Mul(S.Load(dy), S.Create(direct));
        if (weight != null)
            d = S.Mul(d, S.Add(S.Load(weight), S.Create(offset)));
        d = S.Fnma(S.Load(x), S.Create(back), d);
        S.Store(dx, accumulate ? S.Add(S.Load(dx), d) : d);
    }
}
