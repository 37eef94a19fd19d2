namespace Lorikeet.Kernels;

/// <summary>
/// Blocks of <see cref="AttentionKernel.Forward"/>: scores of a block of queries against one block of keys after another, a running softmax, and
/// the weighted sum of the values (Dao et al. 2022, arXiv:2205.14135; pieces of the keys in parallel as in Dao et al. 2023, "Flash-Decoding").
/// </summary>
internal unsafe struct AttentionForwardJob : IVectorJob<AttentionForwardJob>
{
    /// <summary>Keys of a block, about: scores and values of a panel of queries stay in the first cache and a little of the second.</summary>
    private const int MostBlockKeys = 192;

    public AttentionCall* Calls;
    public AttentionPlan* Plans;
    public int Count;
    public float* Shared;
    public KernelTier Tier;

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

        AttentionTiles tiles = AttentionTiles.Of(job->Tier);
        KeyRanges ranges = default;
        ranges.Read(call->First + query, call->Last + query, queries, tiles.PanelRows, tiles.Width, 0, call->Keys);
        if (plan->Splits > 1 && ranges.Low < ranges.High)
        {
            int piece = (ranges.High - ranges.Low + plan->Splits - 1) / plan->Splits, from = ranges.Low + split * piece;
            ranges.Read(call->First + query, call->Last + query, queries, tiles.PanelRows, tiles.Width, from, Math.Min(from + piece, ranges.High));
        }
        float* partial = plan->Splits > 1 ? plan->Partial(job->Shared, *call, block, head, split) : null;
        Block<S, V, D>(call, plan, tiles, head, query, queries, &ranges, partial);
    }

    /// <summary>One block of queries and the keys in its ranges, for one key head; into the output, or where there are pieces into partial.</summary>
    private static void Block<S, V, D>(AttentionCall* call, AttentionPlan* plan, AttentionTiles tiles, int head, int query, int queries, KeyRanges* ranges, float* partial)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = tiles.Width, dim = call->HeadDim;
        Memory memory = new(call, tiles, plan->Group, head, query, queries);
        for (int g = 0; g < plan->Group; g++)
        {
            GemmOperand q = new(call->Q + query * call->LdQ + ((long)head * plan->Group + g) * dim, DType.F32, call->LdQ);
            GemmPack.Panels(q, 0, queries, 0, dim, call->Scale, memory.Queries + (long)g * memory.Rows * dim, width, width * dim, tiles.Wide, null);
        }
        // queries that see nothing sum nothing
        for (int t = 0; t < ranges->Tiles; t++)
        {
            for (int g = 0; g < plan->Group && ranges->First(t) == int.MaxValue; g++)
                new Span<float>(memory.Sums + (long)(g * memory.Rows + ranges->Row(t)) * memory.ValueStep, ranges->Rows(t) * memory.ValueStep).Clear();
        }
        for (int start = ranges->Low; start < ranges->High; start += memory.BlockKeys)
        {
            int count = Math.Min(memory.BlockKeys, ranges->High - start);
            if (!ranges->Meets(start, count))
                continue;
            PackKeys(call, tiles, memory, start, count);
            for (int tile = 0; tile < ranges->Tiles;)
                Panel<S, V, D>(call, plan, tiles, memory, ranges, start, count, ref tile);
        }
        for (int r = 0; r < plan->Group * queries; r++)
        {
            int row = r / queries * memory.Rows + r % queries;
            float* sums = memory.Sums + (long)row * memory.ValueStep;
            if (partial != null)
                Keep(call, sums, memory.Max[row], memory.Total[row], partial + (long)r * (call->ValueDim + 2));
            else
                Write<S, V, D>(call, query + r % queries, head * plan->Group + r / queries, sums, memory.Max[row], memory.Total[row]);
        }
    }

    /// <summary>Turns a block of keys and values into panels; what a cache holds is widened first, page by page.</summary>
    private static void PackKeys(AttentionCall* call, AttentionTiles tiles, in Memory memory, int start, int count)
    {
        GemmOperand keys = Operand(call, AttentionRows.Keys(*call, memory.Head), start, count, call->HeadDim, transposed: false, memory.Wide);
        GemmPack.Panels(keys, 0, count, 0, call->HeadDim, 1, memory.Keys, tiles.Rows, tiles.Rows * call->HeadDim, tiles.Wide, null);
        GemmOperand values = Operand(call, AttentionRows.Values(*call, memory.Head), start, count, call->ValueDim, transposed: true, memory.Wide);
        GemmPack.Panels(values, 0, call->ValueDim, 0, count, 1, memory.Values, tiles.Width, (nint)tiles.Width * memory.BlockKeys, tiles.Wide, null);
    }

    private static GemmOperand Operand(AttentionCall* call, in AttentionRows rows, int row, int count, int dim, bool transposed, float* wide)
    {
        if (call->Pages == null)
            return new GemmOperand((float*)rows.At(row, out _), DType.F32, rows.Stride / sizeof(float), transposed);
        for (int at = 0, run; at < count; at += run)
        {
            _ = rows.At(row + at, out run);
            run = Math.Min(run, count - at);
            KvRowKernel.Widen(call->Layout.Type, rows, row + at, run, dim, wide + (long)at * dim);
        }
        return new GemmOperand(wide, DType.F32, dim, transposed);
    }

    /// <summary>
    /// One panel of queries and one block of keys, for each head of the group: scores, keys as rows and queries as columns, so that softmax runs from row to
    /// row and the scores are the left factor of the values as they lie. Leaves tile at the next panel's first.
    /// </summary>
    private static void Panel<S, V, D>(AttentionCall* call, AttentionPlan* plan, AttentionTiles tiles, in Memory memory, KeyRanges* ranges, int start, int count, ref int tile)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = tiles.Width, dim = call->HeadDim, firstTile = tile, column = ranges->Row(tile);
        int low = count, high = 0, allLow = 0, allHigh = count;
        for (; tile < ranges->Tiles && ranges->Row(tile) < column + width; tile++)
        {
            ranges->All(tile, start, count, out int from, out int to);
            (allLow, allHigh) = (Math.Max(allLow, from), Math.Min(allHigh, to));
            if (ranges->Within(tile, start, count, out from, out to))
                (low, high) = (Math.Min(low, from), Math.Max(high, to));
        }
        if (low >= high)
            return;
        AttentionSoftmax.Seen seen = new() { Low = low, High = high, AllLow = allLow, AllHigh = allHigh, First = memory.First, Last = memory.Last };
        if (seen.Masked)
        {
            for (int i = 0; i < width; i++)
            {
                int query = memory.Query + Math.Min(column + i, memory.Count - 1);
                memory.First[i] = Math.Clamp(call->First[query], start, start + count) - start;
                memory.Last[i] = Math.Clamp(call->Last[query], start, start + count) - start;
            }
        }
        for (int g = 0; g < plan->Group; g++)
        {
            int row = g * memory.Rows + column;
            float* q = memory.Queries + (long)row * dim;
            for (int key = low / tiles.Rows * tiles.Rows; key < high; key += tiles.Rows)
                tiles.Run(memory.Keys + key * dim, tiles.Rows, Math.Min(tiles.Rows, count - key), q, width, 0, dim, memory.Scores + key * width, width, width, accumulate: false);
            AttentionSoftmax.Panel<S, V, D>(memory.Scores, width, seen, call->SoftCap, memory.Max + row, memory.Total + row, memory.Factors);
            for (int t = firstTile; t < tile; t++)
            {
                if (!ranges->Within(t, start, count, out int from, out int to))
                    continue;
                int inPanel = ranges->Row(t) - column, rows = ranges->Rows(t);
                float* sums = memory.Sums + (long)(row + inPanel) * memory.ValueStep;
                // the first keys that a tile sees find no sums
                bool more = ranges->First(t) < start;
                for (int r = 0; more && r < rows; r++)
                {
                    if (memory.Factors[inPanel + r] != 1)
                        RowJob<ScaleOp>.Line<S, V, D>(sums + (long)r * memory.ValueStep, null, null, sums + (long)r * memory.ValueStep, memory.Factors[inPanel + r], memory.ValueStep);
                }
                tiles.Run(memory.Scores + from * width + inPanel, width, rows, memory.Values + from * width, width, memory.BlockKeys * width, to - from,
                    sums, memory.ValueStep, call->ValueDim, accumulate: more);
            }
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

    /// <summary>Keeps one row's share of a piece for <see cref="AttentionCombineJob"/>.</summary>
    public static void Keep(AttentionCall* call, float* sums, float max, float total, float* partial)
    {
        new Span<float>(sums, call->ValueDim).CopyTo(new Span<float>(partial, call->ValueDim));
        partial[call->ValueDim] = max;
        partial[call->ValueDim + 1] = total;
    }

    /// <summary>What lies behind a block of floats in scratch memory, on a cache line of its own.</summary>
    public static float* Next(float* block, long floats) => block + ((floats + 15) & ~15L);

    /// <summary>A thread's memory for one block of queries.</summary>
    private readonly struct Memory
    {
        public readonly int Head, Query, Count;
        /// <summary>Keys of a block: whole tiles.</summary>
        public readonly int BlockKeys;
        /// <summary>Rows of one head: its queries in whole panels.</summary>
        public readonly int Rows;
        /// <summary>Floats between rows of <see cref="Sums"/>.</summary>
        public readonly int ValueStep;
        /// <summary>Scaled queries as columns, head after head.</summary>
        public readonly float* Queries;
        /// <summary>Keys as columns, a tile's height to a panel.</summary>
        public readonly float* Keys;
        /// <summary>Values as rows.</summary>
        public readonly float* Values;
        /// <summary>Rows of a cache, widened.</summary>
        public readonly float* Wide;
        /// <summary><c>[keys, panel of queries]</c>.</summary>
        public readonly float* Scores;
        public readonly float* Sums;
        public readonly float* Max, Total, Factors, First, Last;

        public Memory(AttentionCall* call, AttentionTiles tiles, int group, int head, int query, int count)
        {
            (Head, Query, Count) = (head, query, count);
            int width = tiles.Width;
            BlockKeys = MostBlockKeys / tiles.Rows * tiles.Rows;
            Rows = (count + width - 1) / width * width;
            ValueStep = (call->ValueDim + width - 1) / width * width;
            long all = (long)group * Rows, wide = call->Pages == null ? 0 : (long)BlockKeys * Math.Max(call->HeadDim, call->ValueDim);
            Queries = GemmScratch.Rent(all * (call->HeadDim + ValueStep + 2) + BlockKeys * ((long)call->HeadDim + ValueStep + width) + wide + 3 * width
                + 2 * GemmPack.Slack + 10 * 16);
            Keys = Next(Queries, all * call->HeadDim + GemmPack.Slack);
            Values = Next(Keys, (long)BlockKeys * call->HeadDim + GemmPack.Slack);
            Wide = Next(Values, (long)BlockKeys * ValueStep);
            Scores = Next(Wide, wide);
            Sums = Next(Scores, (long)BlockKeys * width);
            Max = Next(Sums, all * ValueStep);
            Total = Next(Max, all);
            Factors = Next(Total, all);
            First = Next(Factors, width);
            Last = Next(First, width);
            new Span<float>(Max, (int)all).Fill(AttentionSoftmax.Nothing);
            new Span<float>(Total, (int)all).Clear();
        }
    }
}
