namespace Lorikeet.Kernels;

/// <summary>
/// Blocks of <see cref="AttentionKernel.Forward"/>: scores of a block of queries against one block of keys after another, a running softmax, and
/// the weighted sum of the values (Dao et al. 2022, arXiv:2205.14135; pieces of the keys in parallel as in Dao et al. 2023, "Flash-Decoding").
/// </summary>
internal unsafe struct AttentionForwardJob : IVectorJob<AttentionForwardJob>
{
    private const int BlockKeys = 192;

    public AttentionCall* Calls;
    public AttentionPlan* Plans;
    public int Count;
    public float* Shared;

    /// <inheritdoc/>
    public static void Part<S, V, D>(AttentionForwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int at = job->Count - 1;
        for (int low = 0; low < at;)
        {
            int middle = (low + at + 1) / 2;
            if (job->Plans[middle].FirstPart <= part)
                low = middle;
            else
                at = middle - 1;
        }
        AttentionCall* call = job->Calls + at;
        AttentionPlan* plan = job->Plans + at;
        part -= plan->FirstPart;
        int head = part % call->KvHeads, rest = part / call->KvHeads;
        int split = rest % plan->Splits;
        if (plan->Few)
        {
            AttentionFewQueries.Part<S, V, D>(call, plan, head, split, job->Shared);
            return;
        }
        // the last block first: in causal order it is the longest
        int block = plan->QueryBlocks - 1 - rest / plan->Splits;
        int query = block * plan->BlockQueries, queries = Math.Min(plan->BlockQueries, call->Queries - query);

        KeyRanges ranges = default;
        ranges.Read(call->First + query, call->Last + query, queries, 0, call->Keys);
        if (plan->Splits > 1 && ranges.Low < ranges.High)
        {
            int piece = (ranges.High - ranges.Low + plan->Splits - 1) / plan->Splits, from = ranges.Low + split * piece;
            ranges.Read(call->First + query, call->Last + query, queries, from, Math.Min(from + piece, ranges.High));
        }
        float* partial = plan->Splits > 1 ? plan->Partial(job->Shared, *call, block, head, split) : null;
        Block<S, V, D>(call, plan, head, query, queries, &ranges, partial);
    }

    /// <summary>One block of queries and the keys in its ranges, for one key head; into the output, or where there are pieces into partial.</summary>
    private static void Block<S, V, D>(AttentionCall* call, AttentionPlan* plan, int head, int query, int queries, KeyRanges* ranges, float* partial)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count, rows = plan->Group * queries;
        int valueStep = (call->ValueDim + width - 1) / width * width;
        long scores = (long)queries * BlockKeys;
        long keyPanels = (long)BlockKeys * call->HeadDim + GemmPack.Slack, valuePanels = (long)BlockKeys * valueStep + GemmPack.Slack;
        // 8-bit integers are widened page by page on their way into the panels
        long widened = (long)KvLayout.Rows * Math.Max(call->HeadDim, call->ValueDim);
        float* scratch = GemmScratch.Rent(scores + keyPanels + valuePanels + (long)rows * valueStep + 3L * rows + widened + 7 * 16);
        float* s = scratch;
        float* k = Next(s, scores);
        float* v = Next(k, keyPanels);
        float* sums = Next(v, valuePanels);
        float* max = Next(sums, (long)rows * valueStep);
        float* total = Next(max, rows);
        float* factors = Next(total, rows);
        float* wide = Next(factors, rows);
        new Span<float>(sums, rows * valueStep).Clear();
        new Span<float>(max, rows).Fill(float.NegativeInfinity);
        new Span<float>(total, rows).Clear();

        Sizes sizes = new() { Queries = queries, Query = query, Head = head, ValueStep = valueStep };
        // pages become whole panels
        int begin = call->Pages == null ? ranges->Low : ranges->Low / KvLayout.Rows * KvLayout.Rows;
        for (int start = begin; start < ranges->High; start += BlockKeys)
        {
            int count = Math.Min(BlockKeys, ranges->High - start);
            if (ranges->Meets(start, count))
                Keys<S, V, D>(call, plan, sizes, ranges, start, count, s, k, v, wide, sums, max, total, factors);
        }
        for (int r = 0; r < rows; r++)
        {
            float* row = sums + (long)r * valueStep;
            if (partial != null)
                Keep(call, row, max[r], total[r], partial + (long)r * (call->ValueDim + 2));
            else
                Write<S, V, D>(call, query + r % queries, head * plan->Group + r / queries, row, max[r], total[r]);
        }
    }

    /// <summary>One block of keys and values, turned into panels: scores and sums by tiles.</summary>
    private static void Keys<S, V, D>(AttentionCall* call, AttentionPlan* plan, in Sizes sizes, KeyRanges* ranges, int start, int count,
        float* s, float* k, float* v, float* wide, float* sums, float* max, float* total, float* factors)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count, dim = call->HeadDim;
        nint keyPanel = width * dim, valuePanel = width * count;
        AttentionRows keys = AttentionRows.Keys(*call, sizes.Head), values = AttentionRows.Values(*call, sizes.Head);
        for (int at = 0, run; at < count; at += run)
        {
            GemmOperand x = Operand(call, keys, start + at, count - at, dim, transposed: false, wide, out run);
            GemmPack.Panels(x, 0, run, 0, dim, call->Scale, k + at / width * keyPanel, width, keyPanel, wide: S.Count >= 8, null);
            x = Operand(call, values, start + at, run, call->ValueDim, transposed: true, wide, out _);
            GemmPack.Panels(x, 0, call->ValueDim, 0, run, 1, v + at * width, width, valuePanel, wide: S.Count >= 8, null);
        }
        for (int g = 0; g < plan->Group; g++)
        {
            float* q = call->Q + sizes.Query * call->LdQ + ((long)sizes.Head * plan->Group + g) * dim;
            for (int column = 0; column < count; column += width)
            {
                for (int t = 0; t < ranges->Tiles; t++)
                {
                    if (!ranges->Within(t, start, count, out int low, out int high) || column >= high || column + width <= low)
                        continue;
                    int row = ranges->Row(t);
                    AttentionTile.Run<S, V, D>(q + row * call->LdQ, (nint)call->LdQ, 1, ranges->Rows(t),
                        k + column / width * keyPanel, width, dim, s + row * BlockKeys + column, BlockKeys, null);
                }
            }
            float* factor = factors + g * sizes.Queries;
            for (int t = 0; t < ranges->Tiles; t++)
            {
                if (!ranges->Within(t, start, count, out int low, out int high))
                    continue;
                for (int i = ranges->Row(t); i < ranges->Row(t + 1); i++)
                {
                    int r = g * sizes.Queries + i;
                    int from = Math.Max(call->First[sizes.Query + i] - start, low), to = Math.Min(call->Last[sizes.Query + i] - start, high);
                    factor[i] = AttentionSoftmax.Row<S, V, D>(s + i * BlockKeys, from, to, low & -S.Count, (high + S.Count - 1) & -S.Count,
                        call->SoftCap, ref max[r], ref total[r]);
                }
            }
            for (int column = 0; column < sizes.ValueStep; column += width)
            {
                for (int t = 0; t < ranges->Tiles; t++)
                {
                    if (!ranges->Within(t, start, count, out int low, out int high))
                        continue;
                    int row = ranges->Row(t);
                    AttentionTile.Run<S, V, D>(s + row * BlockKeys + low, BlockKeys, 1, ranges->Rows(t),
                        v + column / width * valuePanel + low * width, width, high - low,
                        sums + (g * sizes.Queries + row) * sizes.ValueStep + column, sizes.ValueStep, factor + row);
                }
            }
        }
    }

    // rows of one piece of memory, as products read them
    private static GemmOperand Operand(AttentionCall* call, in AttentionRows rows, int row, int most, int dim, bool transposed, float* wide, out int run)
    {
        byte* from = rows.At(row, out run);
        run = Math.Min(run, most);
        DType type = call->Pages == null ? DType.F32 : call->Layout.Type;
        if (type != DType.I8)
            return new GemmOperand(from, type, rows.Stride / type.BlockBytes(), transposed);
        KvRowKernel.Widen(type, rows, row, run, dim, wide);
        return new GemmOperand(wide, DType.F32, dim, transposed);
    }

    /// <summary>Writes one row of the output: the sum of values divided by the sum of exponentials.</summary>
    public static void Write<S, V, D>(AttentionCall* call, int query, int head, float* sums, float max, float total)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        RowJob<ScaleOp>.Line<S, V, D>(sums, null, null, call->Out + query * call->LdOut + (long)head * call->ValueDim, total == 0 ? 0 : 1 / total, call->ValueDim);
        if (call->LogSumExp != null)
            call->LogSumExp[(long)query * call->Heads + head] = total == 0 ? float.NegativeInfinity : (float)(max + Math.Log(total));
    }

    /// <summary>Keeps one row's share of a piece for <see cref="AttentionCombineJob"/>.</summary>
    public static void Keep(AttentionCall* call, float* sums, float max, float total, float* partial)
    {
        new Span<float>(sums, call->ValueDim).CopyTo(new Span<float>(partial, call->ValueDim));
        partial[call->ValueDim] = max;
        partial[call->ValueDim + 1] = total;
    }

    /// <summary>What lies behind a block of floats in scratch memory, on a cache line of its own.</summary>
    public static float* Next(float* block, long floats) => block + ((floats + 15) & ~15L);

    private struct Sizes
    {
        public int Queries, Query, Head, ValueStep;
    }
}
