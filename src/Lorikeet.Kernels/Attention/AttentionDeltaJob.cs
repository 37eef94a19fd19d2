namespace Lorikeet.Kernels;

/// <summary><c>delta[query, head] = dOut . Out</c>: what softmax's derivative subtracts.</summary>
internal unsafe struct AttentionDeltaJob : IVectorJob<AttentionDeltaJob>
{
    public float* DOut, Out, Delta;
    public long LddOut, LdOut;
    public int Queries, Heads, Dim, PartRows;

    /// <inheritdoc/>
    public static void Part<S, V, D>(AttentionDeltaJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Queries);
        for (int i = first; i < last; i++)
        {
            for (int h = 0; h < job->Heads; h++)
            {
                job->Delta[(long)i * job->Heads + h] = RowSum.Single<MulOp, S, V, D>(job->DOut + i * job->LddOut + (long)h * job->Dim,
                    job->Out + i * job->LdOut + (long)h * job->Dim, null, 0, job->Dim);
            }
        }
    }
}
