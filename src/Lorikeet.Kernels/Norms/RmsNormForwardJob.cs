using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="RmsNormKernel.Forward"/>.</summary>
internal unsafe struct RmsNormForwardJob : IVectorJob<RmsNormForwardJob>
{
    public float* X, Weight, Y, InverseRms;
    public long Ldx, Ldy;
    public float WeightOffset, Epsilon;
    public int Rows, Dim, PartRows;

    /// <inheritdoc/>
    public static void Part<S, V, D>(RmsNormForwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* x = job->X + r * job->Ldx;
            float square = RowSum.Single<MulOp, S, V, D>(x, x, null, 0, job->Dim);
            float inverse = 1 / MathF.Sqrt(square / job->Dim + job->Epsilon);
            if (job->InverseRms != null)
                job->InverseRms[r] = inverse;
            Line<S, V, D>(x, job->Weight, job->WeightOffset, inverse, job->Y + r * job->Ldy, job->Dim);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<S, V, D>(float* x, float* weight, float offset, float inverse, float* y, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V scale = S.Create(inverse), add = S.Create(offset);
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
        {
            V normed = S.Mul(S.Load(x + i), scale);
            S.Store(y + i, weight == null ? normed : S.Mul(normed, S.Add(S.Load(weight + i), add)));
        }
        for (; i < n; i++)
            y[i] = x[i] * inverse * (weight == null ? 1 : weight[i] + offset);
    }
}
