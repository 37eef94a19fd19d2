namespace Lorikeet.Kernels;

/// <summary>Joins the results of the pieces of keys, in their order, for one block of queries and key head.</summary>
internal unsafe struct AttentionCombineJob : IVectorJob<AttentionCombineJob>
{
    public AttentionCall* Calls;
    public AttentionPlan* Plans;
    public int Count;
    public float* Shared;

    /// <inheritdoc/>
    public static void Part<S, V, D>(AttentionCombineJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int at = 0;
        while (at + 1 < job->Count && job->Plans[at + 1].FirstBlock <= part)
            at++;
        AttentionCall* call = job->Calls + at;
        AttentionPlan* plan = job->Plans + at;
        if (plan->Splits == 1)
            return;
        part -= plan->FirstBlock;
        int head = part % call->KvHeads, block = part / call->KvHeads;
        int query = block * plan->BlockQueries, queries = Math.Min(plan->BlockQueries, call->Queries - query);
        long piece = plan->PartialFloats(*call);
        float* partial = plan->Partial(job->Shared, *call, block, head, 0);
        for (int r = 0; r < plan->Group * queries; r++, partial += call->ValueDim + 2)
            Row<S, V, D>(call, plan, partial, piece, query + r % queries, head * plan->Group + r / queries);
    }

    private static void Row<S, V, D>(AttentionCall* call, AttentionPlan* plan, float* partial, long piece, int query, int head)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int dim = call->ValueDim;
        float max = float.NegativeInfinity, total = 0;
        for (int i = 0; i < plan->Splits; i++)
        {
            if (partial[i * piece + dim + 1] != 0)
                max = MathF.Max(max, partial[i * piece + dim]);
        }
        for (int i = 0; i < plan->Splits; i++)
        {
            float* from = partial + i * piece;
            float factor = from[dim + 1] == 0 ? 0 : MathF.Exp(from[dim] - max);
            total += factor * from[dim + 1];
            if (i == 0)
                RowJob<ScaleOp>.Line<S, V, D>(from, null, null, partial, factor, dim);
            else
                RowJob<AxpyOp>.Line<S, V, D>(from, partial, null, partial, factor, dim);
        }
        AttentionForwardJob.Write<S, V, D>(call, query, head, partial, max, total);
    }
}
