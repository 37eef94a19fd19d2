namespace Lorikeet.Kernels;

/// <summary>
/// Blocks of <see cref="AttentionKernel.Backward"/>. With <c>P = exp(S - lse)</c> computed again for a block of queries and keys and
/// <c>dS = P (dOut V' - delta)</c>, <c>delta = dOut . Out</c>: <c>dV += P' dOut</c>, <c>dK += scale dS' Q</c>, <c>dQ += scale dS K</c>
/// (Dao et al. 2022, arXiv:2205.14135). A part is a block of keys; parts add to the derivative of the same queries one after another, in the order of
/// their keys, so every score is computed once and the number of threads does not show.
/// </summary>
internal unsafe struct AttentionBackwardJob : IVectorJob<AttentionBackwardJob>
{
    /// <summary>Queries of a block: whole tiles.</summary>
    public const int BlockQueries = 96;
    /// <summary>Keys of a block: whole panels.</summary>
    public const int BlockKeys = 256;
    /// <summary>Floats between rows of scores: an odd number of lines, which spreads columns over the sets of a cache.</summary>
    private const int ScoreStep = BlockKeys + 16;

    public AttentionCall* Call;
    public float* DOut, DQ, DK, DV;
    public long LddOut, LddQ, LddK, LddV;
    /// <summary>Whether derivatives are added to what is there; else the first part that has something for a row writes.</summary>
    public bool AccumulateQ, AccumulateKv;
    /// <summary><c>[queries, heads]</c>.</summary>
    public float* Delta;
    public AttentionSegment* Segments;
    public int SegmentCount;
    /// <summary><c>[query blocks, heads]</c>: how many blocks of keys have added to the derivative of these queries.</summary>
    public int* Turns;
    /// <summary>Not 0 once a part has failed: no other may wait for it.</summary>
    public int Failed;
    public KernelTier Tier;

    /// <inheritdoc/>
    public static void Part<S, V, D>(AttentionBackwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int head = part % job->Call->KvHeads, block = part / job->Call->KvHeads, low = 0, high = job->SegmentCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (job->Segments[middle].FirstKeyBlock <= block)
                low = middle;
            else
                high = middle - 1;
        }
        try
        {
            KeyBlock<S, V, D>(job, AttentionTiles.Of(job->Tier), job->Segments + low, head, block - job->Segments[low].FirstKeyBlock);
        }
        catch
        {
            Volatile.Write(ref job->Failed, 1);
            throw;
        }
    }

    /// <summary>
    /// What one block of keys of one head does with the queries of its segment: adds to the derivatives of these keys and values and to those of the queries.
    /// </summary>
    private static void KeyBlock<S, V, D>(AttentionBackwardJob* job, AttentionTiles tiles, AttentionSegment* segment, int head, int block)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        AttentionCall* call = job->Call;
        int dim = call->HeadDim, valueDim = call->ValueDim, group = call->Heads / call->KvHeads;
        int start = segment->Key + block * BlockKeys, count = Math.Min(BlockKeys, segment->Keys - block * BlockKeys);
        Memory memory = new(call, tiles);
        memory.PackKeys(call, tiles, head, start, count);
        KeyRanges ranges = default;
        Seers seers = default;
        for (int query = 0; query < segment->Queries; query += BlockQueries)
        {
            int first = segment->Query + query;
            ranges.Read(call->First + first, call->Last + first, Math.Min(BlockQueries, segment->Queries - query), tiles.Rows, BlockQueries, 0, call->Keys);
            // between its first and its last block of keys every one takes its turn, though it may have nothing to add
            if (ranges.Low >= start + count || ranges.High <= start)
                continue;
            int turn = block - (ranges.Low - segment->Key) / BlockKeys;
            bool meets = seers.Read(&ranges, start, count, tiles.Rows);
            for (int h = head * group; h < (head + 1) * group; h++)
            {
                if (meets)
                {
                    Scores<S, V, D>(job, tiles, memory, &ranges, &seers, start, count, first, h);
                    if (job->DV != null)
                        IntoKeys(tiles, &seers, count, memory.P, memory.DOut, memory.ValueStep, valueDim, memory.DValues);
                    if (job->DK != null)
                        IntoKeys(tiles, &seers, count, memory.DS, memory.Queries, memory.KeyStep, dim, memory.DKeys);
                }
                if (job->DQ == null)
                    continue;
                ref int done = ref job->Turns[(segment->FirstQueryBlock + query / BlockQueries) * call->Heads + h];
                SpinWait wait = default;
                while (Volatile.Read(ref done) != turn && Volatile.Read(ref job->Failed) == 0)
                    wait.SpinOnce(-1);
                if (meets)
                    IntoQueries<S, V, D>(tiles, memory, &ranges, start, count, dim, job->DQ + first * job->LddQ + (long)h * dim, job->LddQ, job->AccumulateQ);
                Volatile.Write(ref done, turn + 1);
            }
        }
        if (job->DK != null)
            Put<S, V, D>(memory.DKeys, memory.KeyStep, count, dim, job->DK + start * job->LddK + (long)head * dim, job->LddK, job->AccumulateKv);
        if (job->DV != null)
            Put<S, V, D>(memory.DValues, memory.ValueStep, count, valueDim, job->DV + start * job->LddV + (long)head * valueDim, job->LddV, job->AccumulateKv);
    }

    /// <summary>Probabilities and derivatives of scores of one block, tile by tile; zeros where a query does not see a key.</summary>
    private static void Scores<S, V, D>(AttentionBackwardJob* job, AttentionTiles tiles, in Memory memory, KeyRanges* ranges, Seers* seers,
        int start, int count, int first, int head)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        AttentionCall* call = job->Call;
        int width = tiles.Width, dim = call->HeadDim, valueDim = call->ValueDim, queries = ranges->Row(ranges->Tiles);
        float* q = call->Q + first * call->LdQ + (long)head * dim;
        float* dOut = job->DOut + first * job->LddOut + (long)head * valueDim;
        GemmPack.Panels(new GemmOperand(q, DType.F32, call->LdQ, transposed: true), 0, dim, 0, queries, call->Scale, memory.Queries, memory.KeyStep, 0, tiles.Wide, null);
        GemmPack.Panels(new GemmOperand(dOut, DType.F32, job->LddOut, transposed: true), 0, valueDim, 0, queries, 1, memory.DOut, memory.ValueStep, 0, tiles.Wide, null);
        for (int t = 0; t < ranges->Tiles; t++)
        {
            int row = ranges->Row(t), rows = ranges->Rows(t), from = 0, end = 0;
            float* p = memory.P + row * ScoreStep;
            float* dS = memory.DS + row * ScoreStep;
            if (ranges->Within(t, start, count, out int low, out int high))
            {
                (from, end) = (low / width * width, (high + width - 1) / width * width);
                int panels = (end - from) / width;
                tiles.RunRows<S, V, D>(memory.Queries + row * memory.KeyStep, memory.KeyStep, rows, memory.KeysTurned + from * dim, panels, dim,
                    p + from, ScoreStep, accumulate: false);
                tiles.RunRows<S, V, D>(memory.DOut + row * memory.ValueStep, memory.ValueStep, rows, memory.ValuesTurned + from * valueDim, panels, valueDim,
                    dS + from, ScoreStep, accumulate: false);
                long scalar = (long)(first + row) * call->Heads + head;
                ranges->All(t, start, count, out low, out high);
                AttentionSoftmax.Derivative<S, V, D>(p, dS, ScoreStep, rows, from, end, low, high, call->First + first + row, call->Last + first + row, start,
                    call->LogSumExp + scalar, job->Delta + scalar, call->Heads, call->SoftCap);
            }
            // what tiles of keys read besides
            for (int key = 0, k = 0; key < count; key += tiles.Rows, k++)
            {
                if (row < seers->First[k] || row >= seers->End[k])
                    continue;
                int keysEnd = Math.Min(key + tiles.Rows, count);
                for (int i = 0; i < rows && (key < from || keysEnd > end); i++)
                {
                    Clear(p + i * ScoreStep, dS + i * ScoreStep, key, Math.Min(keysEnd, from));
                    Clear(p + i * ScoreStep, dS + i * ScoreStep, Math.Max(key, end), keysEnd);
                }
            }
        }
    }

    private static void Clear(float* p, float* dS, int from, int end)
    {
        if (from >= end)
            return;
        new Span<float>(p + from, end - from).Clear();
        new Span<float>(dS + from, end - from).Clear();
    }

    /// <summary><c>to[key] += sum_query s[query, key] * rows[query]</c>.</summary>
    private static void IntoKeys(AttentionTiles tiles, Seers* seers, int count, float* s, float* rows, int step, int dim, float* to)
    {
        for (int key = 0, k = 0; key < count; key += tiles.Rows, k++)
        {
            int from = seers->First[k], end = seers->End[k];
            if (from < end)
                tiles.Run(s + from * ScoreStep + key, ScoreStep, Math.Min(tiles.Rows, count - key), rows + from * step, step, tiles.Width, end - from, to + key * step, step, dim, accumulate: true);
        }
    }

    /// <summary><c>to[query] (+)= sum_key dS[query, key] * keys[key]</c>.</summary>
    private static void IntoQueries<S, V, D>(AttentionTiles tiles, in Memory memory, KeyRanges* ranges, int start, int count, int dim, float* to, long ldTo, bool accumulate)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = tiles.Width;
        for (int column = 0; column < dim; column += width)
        {
            for (int t = 0; t < ranges->Tiles; t++)
            {
                if (!ranges->Within(t, start, count, out int low, out int high))
                    continue;
                int row = ranges->Row(t), rows = ranges->Rows(t);
                bool add = accumulate || ranges->First(t) < start;
                float* s = memory.DS + row * ScoreStep + low;
                float* b = memory.Keys + column * BlockKeys + low * width;
                if (column + width <= dim)
                {
                    tiles.RunRows<S, V, D>(s, ScoreStep, rows, b, 1, high - low, to + row * ldTo + column, ldTo, add);
                    continue;
                }
                // the last panel is wider than what is left of a row
                tiles.RunRows<S, V, D>(s, ScoreStep, rows, b, 1, high - low, memory.Corner, width, accumulate: false);
                Put<S, V, D>(memory.Corner, width, rows, dim - column, to + row * ldTo + column, ldTo, add);
            }
        }
    }

    private static void Put<S, V, D>(float* x, int ldx, int rows, int dim, float* y, long ldy, bool add)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        for (int r = 0; r < rows; r++, x += ldx, y += ldy)
        {
            if (add)
                RowJob<AddOp>.Line<S, V, D>(x, y, null, y, 0, dim);
            else
                RowJob<CopyOp>.Line<S, V, D>(x, null, null, y, 0, dim);
        }
    }

    /// <summary>For each tile of a block of keys the rows of a block of queries, from the first that sees one of these keys to the last.</summary>
    private struct Seers
    {
        public fixed int First[BlockKeys];
        public fixed int End[BlockKeys];

        /// <summary>Reads them from the ranges of the queries. False where no query sees a key.</summary>
        public bool Read(KeyRanges* ranges, int start, int count, int tileKeys)
        {
            bool any = false;
            for (int key = 0, k = 0; key < count; key += tileKeys, k++)
            {
                (First[k], End[k]) = (int.MaxValue, 0);
                for (int t = 0; t < ranges->Tiles; t++)
                {
                    if (!ranges->Within(t, start + key, Math.Min(tileKeys, count - key), out _, out _))
                        continue;
                    First[k] = Math.Min(First[k], ranges->Row(t));
                    End[k] = ranges->Row(t + 1);
                    any = true;
                }
            }
            return any;
        }
    }

    /// <summary>A thread's memory for one block of keys.</summary>
    private readonly struct Memory
    {
        /// <summary>Keys as columns, in panels: for the scores.</summary>
        public readonly float* KeysTurned;
        /// <summary>Values as columns, in panels: for dP.</summary>
        public readonly float* ValuesTurned;
        /// <summary>Keys as rows, in panels, scaled: for dQ.</summary>
        public readonly float* Keys;
        /// <summary>Queries, scaled: for the scores and for dK.</summary>
        public readonly float* Queries;
        /// <summary>Rows of dOut: for dP and dV.</summary>
        public readonly float* DOut;
        /// <summary><c>[queries, ScoreStep]</c>.</summary>
        public readonly float* P;
        /// <summary>The same of dP, then dS.</summary>
        public readonly float* DS;
        public readonly float* DKeys;
        public readonly float* DValues;
        public readonly float* Corner;
        /// <summary>Floats between rows of queries and of <see cref="DKeys"/>.</summary>
        public readonly int KeyStep;
        /// <summary>Floats between rows of dOut and of <see cref="DValues"/>.</summary>
        public readonly int ValueStep;

        public Memory(AttentionCall* call, AttentionTiles tiles)
        {
            KeyStep = tiles.RowStep(call->HeadDim);
            ValueStep = tiles.RowStep(call->ValueDim);
            float* next = GemmScratch.Rent(BlockKeys * (3L * KeyStep + 2L * ValueStep) + BlockQueries * ((long)KeyStep + ValueStep + 2 * ScoreStep)
                + tiles.Rows * tiles.Width + 10 * (16 + GemmPack.Slack));
            KeysTurned = Take(ref next, BlockKeys * call->HeadDim);
            ValuesTurned = Take(ref next, BlockKeys * call->ValueDim);
            Keys = Take(ref next, BlockKeys * KeyStep);
            Queries = Take(ref next, BlockQueries * KeyStep);
            DOut = Take(ref next, BlockQueries * ValueStep);
            P = Take(ref next, BlockQueries * ScoreStep);
            DS = Take(ref next, BlockQueries * ScoreStep);
            DKeys = Take(ref next, BlockKeys * KeyStep);
            DValues = Take(ref next, BlockKeys * ValueStep);
            Corner = Take(ref next, tiles.Rows * tiles.Width);
        }

        /// <summary>Packs a block of keys and values and clears their derivatives.</summary>
        public void PackKeys(AttentionCall* call, AttentionTiles tiles, int head, int start, int count)
        {
            int width = tiles.Width;
            float* k = call->K + start * call->LdK + (long)head * call->HeadDim;
            float* v = call->V + start * call->LdV + (long)head * call->ValueDim;
            GemmPack.Panels(new GemmOperand(k, DType.F32, call->LdK), 0, count, 0, call->HeadDim, 1, KeysTurned, width, width * call->HeadDim, tiles.Wide, null);
            GemmPack.Panels(new GemmOperand(v, DType.F32, call->LdV), 0, count, 0, call->ValueDim, 1, ValuesTurned, width, width * call->ValueDim, tiles.Wide, null);
            GemmPack.Panels(new GemmOperand(k, DType.F32, call->LdK, transposed: true), 0, call->HeadDim, 0, count, call->Scale, Keys, width, BlockKeys * width, tiles.Wide, null);
            new Span<float>(DKeys, count * KeyStep).Clear();
            new Span<float>(DValues, count * ValueStep).Clear();
        }

        private static float* Take(ref float* next, int floats)
        {
            float* block = next;
            next += (floats + GemmPack.Slack + 15) & ~15;
            return block;
        }
    }
}
