namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="SoftmaxKernel.Forward"/> (into Y) or <see cref="SoftmaxKernel.LogSumExp"/> (into Result).</summary>
internal unsafe struct SoftmaxJob : IVectorJob<SoftmaxJob>
{
    public float* X, Y, Result;
    public long Ldx, Ldy;
    public int Rows, Dim, PartRows;

    /// <inheritdoc/>
    public static void Part<S, V, D>(SoftmaxJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* x = job->X + r * job->Ldx;
            float* y = job->Y == null ? null : job->Y + r * job->Ldy;
            float max = RowSum.Largest<S, V, D>(x, job->Dim);
            // nothing but minus infinities (or NaN, which the sum then shows)
            float middle = max == float.NegativeInfinity ? 0 : max;
            double sum = RowExp.Sum<S, V, D>(x, middle, y, job->Dim);
            if (y != null)
                RowExp.Scale<S, V, D>(y, sum == 0 ? 0 : (float)(1 / sum), 0, job->Dim);
            if (job->Result != null)
                job->Result[r] = (float)(middle + Math.Log(sum));
        }
    }
}
