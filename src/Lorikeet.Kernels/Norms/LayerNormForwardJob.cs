using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="LayerNormKernel.Forward"/>.</summary>
internal unsafe struct LayerNormForwardJob : IVectorJob<LayerNormForwardJob>
{
    public float* X, Weight, Bias, Y, Mean, InverseDeviation;
    public long Ldx, Ldy;
    public float WeightOffset, Epsilon;
    public int Rows, Dim, PartRows;

    /// <inheritdoc/>
    public static void Part<S, V, D>(LayerNormForwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* x = job->X + r * job->Ldx;
            float mean = RowSum.Single<CopyOp, S, V, D>(x, null, null, 0, job->Dim) / job->Dim;
            // the squares of the differences, not the difference of the squares: nothing cancels
            float square = RowSum.Single<SquaredDistance, S, V, D>(x, null, null, mean, job->Dim);
            float inverse = 1 / MathF.Sqrt(square / job->Dim + job->Epsilon);
            if (job->Mean != null)
                job->Mean[r] = mean;
            if (job->InverseDeviation != null)
                job->InverseDeviation[r] = inverse;
            Line<S, V, D>(x, job->Weight, job->WeightOffset, job->Bias, mean, inverse, job->Y + r * job->Ldy, job->Dim);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<S, V, D>(float* x, float* weight, float offset, float* bias, float mean, float inverse, float* y, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
            Step<S, V, D>(x + i, weight == null ? null : weight + i, offset, bias == null ? null : bias + i, mean, inverse, y + i);
        for (; S.Count > 1 && i < n; i++)
            Step<SimdScalar, float, double>(x + i, weight == null ? null : weight + i, offset, bias == null ? null : bias + i, mean, inverse, y + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S, V, D>(float* x, float* weight, float offset, float* bias, float mean, float inverse, float* y)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V normed = S.Mul(S.Sub(S.Load(x), S.Create(mean)), S.Create(inverse));
        if (weight != null)
            normed = S.Mul(normed, S.Add(S.Load(weight), S.Create(offset)));
        S.Store(y, bias == null ? normed : S.Add(normed, S.Load(bias)));
    }
}
