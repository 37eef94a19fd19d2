using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Blocks of <see cref="AttentionKernel.Forward"/>: scores of a block of queries against one block of keys after another, a running softmax, and
/// the weighted sum of the values (Dao et al. 2022, arXiv:2205.14135; pieces of the keys in parallel as in Dao et al. 2023, "Flash-Decoding").
/// </summary>
internal unsafe struct AttentionForwardJob : IVectorJob<AttentionForwardJob>
{
    private const int BlockKeys = 192;
    private const int FewBlockKeys = 256;

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
        float* partial = null;
        if (plan->Splits > 1)
            partial = job->Shared + plan->Partials + ((block * call->KvHeads + head) * plan->Splits + split) * plan->PartialFloats(*call);
        Block<S, V, D>(call, plan, head, query, queries, &ranges, partial);
    }

    /// <summary>One block of queries and the keys in its ranges, for one key head; into the output, or where there are pieces into partial.</summary>
    private static void Block<S, V, D>(AttentionCall* call, AttentionPlan* plan, int head, int query, int queries, KeyRanges* ranges, float* partial)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count, rows = plan->Group * queries;
        bool few = rows < AttentionPlan.FewRows && ranges->Tiles == 1;
        int valueStep = (call->ValueDim + width - 1) / width * width, blockKeys = few ? FewBlockKeys : BlockKeys;
        long scores = (long)(few ? rows : queries) * blockKeys;
        long keyPanels = (long)blockKeys * call->HeadDim + GemmPack.Slack, valuePanels = (long)blockKeys * valueStep + GemmPack.Slack;
        float* scratch = GemmScratch.Rent(scores + keyPanels + valuePanels + (long)rows * valueStep + 3L * rows + 6 * 16);
        float* s = scratch;
        float* k = Next(s, scores);
        float* v = Next(k, keyPanels);
        float* sums = Next(v, valuePanels);
        float* max = Next(sums, (long)rows * valueStep);
        float* total = Next(max, rows);
        float* factors = Next(total, rows);
        new Span<float>(sums, rows * valueStep).Clear();
        new Span<float>(max, rows).Fill(float.NegativeInfinity);
        new Span<float>(total, rows).Clear();

        Sizes sizes = new() { Rows = rows, Queries = queries, Query = query, Head = head, ValueStep = valueStep };
        for (int start = ranges->Low; start < ranges->High; start += blockKeys)
        {
            int count = Math.Min(blockKeys, ranges->High - start);
            if (!ranges->Meets(start, count))
                continue;
            if (few)
                FewRows<S, V, D>(call, plan, sizes, ranges, start, count, s, v, sums, max, total, factors);
            else
                ManyRows<S, V, D>(call, plan, sizes, ranges, start, count, s, k, v, sums, max, total, factors);
        }
        if (partial != null)
            Keep(call, rows, valueStep, sums, max, total, partial);
        else
            Finish<S, V, D>(call, plan, sizes, sums, max, total);
    }

    /// <summary>Keys and values as panels, scores and sums by tiles.</summary>
    private static void ManyRows<S, V, D>(AttentionCall* call, AttentionPlan* plan, in Sizes sizes, KeyRanges* ranges, int start, int count,
        float* s, float* k, float* v, float* sums, float* max, float* total, float* factors)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count, dim = call->HeadDim;
        GemmOperand keys = new(call->K + start * call->LdK + (long)sizes.Head * dim, DType.F32, call->LdK);
        GemmOperand values = new(call->V + start * call->LdV + (long)sizes.Head * call->ValueDim, DType.F32, call->LdV, transposed: true);
        nint keyPanel = width * dim, valuePanel = width * count;
        GemmPack.Panels(keys, 0, count, 0, dim, call->Scale, k, width, keyPanel, wide: S.Count >= 8, null);
        GemmPack.Panels(values, 0, call->ValueDim, 0, count, 1, v, width, valuePanel, wide: S.Count >= 8, null);
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

    /// <summary>A few rows, of queries that see the same or touching keys, against keys and values where they lie.</summary>
    private static void FewRows<S, V, D>(AttentionCall* call, AttentionPlan* plan, in Sizes sizes, KeyRanges* ranges, int start, int count,
        float* s, float* v, float* sums, float* max, float* total, float* factors)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count, dim = call->HeadDim;
        int low = Math.Max(ranges->Low - start, 0), high = Math.Min(ranges->High - start, count);
        float* keys = call->K + start * call->LdK + (long)sizes.Head * dim;
        float* values = call->V + start * call->LdV + (long)sizes.Head * call->ValueDim;
        for (int r = 0; r < sizes.Rows; r++)
        {
            int i = r % sizes.Queries, query = sizes.Query + i;
            float* q = call->Q + query * call->LdQ + ((long)sizes.Head * plan->Group + r / sizes.Queries) * dim;
            int from = Math.Max(call->First[query] - start, low), to = Math.Min(call->Last[query] - start, high);
            if (from < to)
                Scores<S, V, D>(q, dim, keys + from * call->LdK, (nint)call->LdK, to - from, call->Scale, s + r * FewBlockKeys + from);
            factors[r] = AttentionSoftmax.Row<S, V, D>(s + r * FewBlockKeys, from, to, low & -S.Count, (high + S.Count - 1) & -S.Count,
                call->SoftCap, ref max[r], ref total[r]);
        }
        int whole = call->ValueDim / width * width;
        for (int column = 0; column < sizes.ValueStep; column += width)
        {
            float* panel = values + column + low * call->LdV;
            nint step = (nint)call->LdV;
            if (column >= whole)
            {
                // a vector would read past the end of the row
                GemmPack.Panels(new GemmOperand(panel, DType.F32, call->LdV, transposed: true), 0, call->ValueDim - whole, 0, high - low, 1, v, width, 0,
                    wide: S.Count >= 8, null);
                panel = v;
                step = width;
            }
            AttentionTile.Run<S, V, D>(s + low, FewBlockKeys, 1, sizes.Rows, panel, step, high - low, sums + column, sizes.ValueStep, factors);
        }
    }

    /// <summary>Scores of one query row, four keys side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scores<S, V, D>(float* q, int dim, float* k, nint ldk, int keys, float scale, float* s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        for (int j = 0; j < keys; j += 4)
        {
            float* k0 = k + j * ldk;
            float* k1 = j + 1 < keys ? k0 + ldk : k0;
            float* k2 = j + 2 < keys ? k1 + ldk : k1;
            float* k3 = j + 3 < keys ? k2 + ldk : k2;
            V s0 = S.Create(0), s1 = s0, s2 = s0, s3 = s0;
            int i = 0;
            for (; i <= dim - S.Count; i += S.Count)
            {
                V x = S.Load(q + i);
                s0 = S.Fma(x, S.Load(k0 + i), s0);
                s1 = S.Fma(x, S.Load(k1 + i), s1);
                s2 = S.Fma(x, S.Load(k2 + i), s2);
                s3 = S.Fma(x, S.Load(k3 + i), s3);
            }
            float t0 = S.Sum(s0), t1 = S.Sum(s1), t2 = S.Sum(s2), t3 = S.Sum(s3);
            for (; i < dim; i++)
            {
                t0 += q[i] * k0[i];
                t1 += q[i] * k1[i];
                t2 += q[i] * k2[i];
                t3 += q[i] * k3[i];
            }
            s[j] = t0 * scale;
            if (j + 1 < keys)
                s[j + 1] = t1 * scale;
            if (j + 2 < keys)
                s[j + 2] = t2 * scale;
            if (j + 3 < keys)
                s[j + 3] = t3 * scale;
        }
    }

    private static void Finish<S, V, D>(AttentionCall* call, AttentionPlan* plan, in Sizes sizes, float* sums, float* max, float* total)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        for (int r = 0; r < sizes.Rows; r++)
        {
            int query = sizes.Query + r % sizes.Queries, head = sizes.Head * plan->Group + r / sizes.Queries;
            Write<S, V, D>(call, query, head, sums + (long)r * sizes.ValueStep, max[r], total[r]);
        }
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

    private static void Keep(AttentionCall* call, int rows, int valueStep, float* sums, float* max, float* total, float* partial)
    {
        for (int r = 0; r < rows; r++, partial += call->ValueDim + 2)
        {
            new Span<float>(sums + (long)r * valueStep, call->ValueDim).CopyTo(new Span<float>(partial, call->ValueDim));
            partial[call->ValueDim] = max[r];
            partial[call->ValueDim + 1] = total[r];
        }
    }

    private static float* Next(float* block, long floats) => block + ((floats + 15) & ~15L);

    private struct Sizes
    {
        public int Rows, Queries, Query, Head, ValueStep;
    }
}
