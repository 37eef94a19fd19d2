namespace Lorikeet.Kernels;

/// <summary>
/// Blocks of <see cref="AttentionKernel.Backward"/>. With <c>P = exp(S - lse)</c> computed again for a block of queries and keys and
/// <c>dS = P (dOut V' - delta)</c>, <c>delta = dOut . Out</c>: <c>dV += P' dOut</c>, <c>dK += scale dS' Q</c>, <c>dQ += scale dS K</c>
/// (Dao et al. 2022, arXiv:2205.14135). Sums run over blocks in ascending order, whichever way the work is cut, so the cut does not show.
/// </summary>
internal unsafe struct AttentionBackwardJob : IVectorJob<AttentionBackwardJob>
{
    /// <summary>Queries and keys of a block.</summary>
    public const int Block = KeyRanges.MaxQueries;

    public AttentionCall* Call;
    public float* DOut, DQ, DK, DV;
    public long LddOut, LddQ, LddK, LddV;
    /// <summary><c>[queries, heads]</c>.</summary>
    public float* Delta;
    public AttentionSegment* Segments;
    public int SegmentCount;
    public AttentionCut Cut;

    /// <inheritdoc/>
    public static void Part<S, V, D>(AttentionBackwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int head = part % job->Call->KvHeads, at = part / job->Call->KvHeads;
        Panels panels = new(job->Call, 2 * S.Count);
        if (job->Cut == AttentionCut.Segments)
        {
            AttentionSegment* segment = job->Segments + at;
            for (int key = 0; key < segment->Keys; key += Block)
                KeyBlock<S, V, D>(job, &panels, segment, head, key, 0, segment->Queries, job->DK != null || job->DV != null, job->DQ != null);
        }
        else if (job->Cut == AttentionCut.Keys)
        {
            AttentionSegment* segment = Find(job, at, byKeys: true);
            KeyBlock<S, V, D>(job, &panels, segment, head, (at - segment->FirstKeyBlock) * Block, 0, segment->Queries, intoKeys: true, intoQueries: false);
        }
        else
        {
            AttentionSegment* segment = Find(job, at, byKeys: false);
            int query = (at - segment->FirstQueryBlock) * Block, end = Math.Min(query + Block, segment->Queries);
            for (int key = 0; key < segment->Keys; key += Block)
                KeyBlock<S, V, D>(job, &panels, segment, head, key, query, end, intoKeys: false, intoQueries: true);
        }
    }

    private static AttentionSegment* Find(AttentionBackwardJob* job, int block, bool byKeys)
    {
        int low = 0, high = job->SegmentCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if ((byKeys ? job->Segments[middle].FirstKeyBlock : job->Segments[middle].FirstQueryBlock) <= block)
                low = middle;
            else
                high = middle - 1;
        }
        return job->Segments + low;
    }

    /// <summary>
    /// What one block of keys of one head does with the queries <c>from .. end - 1</c> of its segment: adds to the derivatives of these keys and values
    /// and to those of the queries, as asked.
    /// </summary>
    private static void KeyBlock<S, V, D>(AttentionBackwardJob* job, Panels* panels, AttentionSegment* segment, int head, int key, int from, int end,
        bool intoKeys, bool intoQueries)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        AttentionCall* call = job->Call;
        int width = 2 * S.Count, dim = call->HeadDim, valueDim = call->ValueDim, group = call->Heads / call->KvHeads;
        int start = segment->Key + key, count = Math.Min(Block, segment->Keys - key);
        bool wide = S.Count >= 8, packed = false;
        for (int g = 0; g < group; g++)
        {
            for (int query = from; query < end; query += Block)
            {
                int first = segment->Query + query, queries = Math.Min(Block, end - query);
                KeyRanges ranges = default;
                ranges.Read(call->First + first, call->Last + first, queries, 0, call->Keys);
                if (!ranges.Meets(start, count))
                    continue;
                if (!packed)
                {
                    panels->PackKeys(call, head, start, count, wide, intoQueries);
                    packed = true;
                }
                int queryHead = head * group + g;
                float* q = call->Q + first * call->LdQ + (long)queryHead * dim;
                float* dOut = job->DOut + first * job->LddOut + (long)queryHead * valueDim;
                Scores<S, V, D>(&ranges, start, count, q, (nint)call->LdQ, dim, panels->KeysTurned, panels->P);
                Scores<S, V, D>(&ranges, start, count, dOut, (nint)job->LddOut, valueDim, panels->ValuesTurned, panels->DS);
                for (int i = 0; i < queries; i++)
                {
                    int row = first + i;
                    long scalar = (long)row * call->Heads + queryHead;
                    int low = Math.Max(call->First[row] - start, 0), high = Math.Min(call->Last[row] - start, count);
                    AttentionSoftmax.Derivative<S, V, D>(panels->P + i * Block, panels->DS + i * Block, low, high, (count + S.Count - 1) & -S.Count,
                        call->LogSumExp[scalar], job->Delta[scalar], call->SoftCap);
                }
                if (intoKeys)
                {
                    if (job->DV != null)
                    {
                        GemmPack.Panels(new GemmOperand(dOut, DType.F32, job->LddOut, transposed: true), 0, valueDim, 0, queries, 1, panels->Rows, width, Block * width, wide, null);
                        IntoKeys<S, V, D>(&ranges, start, count, queries, panels->P, panels->Rows, panels->ValueStep, panels->DValues, panels->Ones);
                    }
                    if (job->DK != null)
                    {
                        GemmPack.Panels(new GemmOperand(q, DType.F32, call->LdQ, transposed: true), 0, dim, 0, queries, call->Scale, panels->Rows, width, Block * width, wide, null);
                        IntoKeys<S, V, D>(&ranges, start, count, queries, panels->DS, panels->Rows, panels->KeyStep, panels->DKeys, panels->Ones);
                    }
                }
                if (intoQueries)
                    IntoQueries<S, V, D>(&ranges, start, count, panels, dim, job->DQ + first * job->LddQ + (long)queryHead * dim, (nint)job->LddQ);
            }
        }
        if (!packed || !intoKeys)
            return;
        if (job->DK != null)
            Add<S, V, D>(panels->DKeys, panels->KeyStep, count, dim, job->DK + start * job->LddK + (long)head * dim, job->LddK);
        if (job->DV != null)
            Add<S, V, D>(panels->DValues, panels->ValueStep, count, valueDim, job->DV + start * job->LddV + (long)head * valueDim, job->LddV);
    }

    /// <summary><c>s = x . panels</c> where the tile sees anything: scores from queries and keys, dP from dOut and values.</summary>
    private static void Scores<S, V, D>(KeyRanges* ranges, int start, int count, float* x, nint ldx, int dim, float* panels, float* s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count;
        for (int column = 0; column < count; column += width)
        {
            for (int t = 0; t < ranges->Tiles; t++)
            {
                if (!ranges->Within(t, start, count, out int low, out int high) || column >= high || column + width <= low)
                    continue;
                int row = ranges->Row(t);
                AttentionTile.Run<S, V, D>(x + row * ldx, ldx, 1, ranges->Rows(t), panels + column * dim, width, dim,
                    s + row * Block + column, Block, null);
            }
        }
    }

    /// <summary><c>to[key] += sum_query s[query, key] * rows[query]</c>.</summary>
    private static void IntoKeys<S, V, D>(KeyRanges* ranges, int start, int count, int queries, float* s, float* rows, int step, float* to, float* ones)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count;
        for (int key = 0; key < count; key += AttentionTile.Rows)
        {
            int keys = Math.Min(AttentionTile.Rows, count - key), from = queries, end = 0;
            for (int t = 0; t < ranges->Tiles; t++)
            {
                if (!ranges->Within(t, start + key, keys, out _, out _))
                    continue;
                from = Math.Min(from, ranges->Row(t));
                end = ranges->Row(t + 1);
            }
            for (int column = 0; from < end && column < step; column += width)
            {
                AttentionTile.Run<S, V, D>(s + from * Block + key, 1, Block, keys, rows + column * Block + from * width, width, end - from,
                    to + key * step + column, step, ones);
            }
        }
    }

    /// <summary><c>to[query] += sum_key dS[query, key] * keys[key]</c>.</summary>
    private static void IntoQueries<S, V, D>(KeyRanges* ranges, int start, int count, Panels* panels, int dim, float* to, nint ldTo)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count;
        for (int column = 0; column < dim; column += width)
        {
            for (int t = 0; t < ranges->Tiles; t++)
            {
                if (!ranges->Within(t, start, count, out int low, out int high))
                    continue;
                int row = ranges->Row(t), rows = ranges->Rows(t);
                float* s = panels->DS + row * Block + low;
                float* b = panels->Keys + column * Block + low * width;
                if (column + width <= dim)
                {
                    AttentionTile.Run<S, V, D>(s, Block, 1, rows, b, width, high - low, to + row * ldTo + column, ldTo, panels->Ones);
                    continue;
                }
                // the last panel is wider than what is left of a row
                AttentionTile.Run<S, V, D>(s, Block, 1, rows, b, width, high - low, panels->Corner, width, null);
                Add<S, V, D>(panels->Corner, width, rows, dim - column, to + row * ldTo + column, ldTo);
            }
        }
    }

    private static void Add<S, V, D>(float* x, int ldx, int rows, int dim, float* y, long ldy)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        for (int r = 0; r < rows; r++)
            RowJob<AddOp>.Line<S, V, D>(x + r * ldx, y + r * ldy, null, y + r * ldy, 0, dim);
    }

    /// <summary>A thread's memory for one block of keys.</summary>
    private readonly struct Panels
    {
        /// <summary>Keys as columns, scaled: for the scores.</summary>
        public readonly float* KeysTurned;
        /// <summary>Values as columns: for dP.</summary>
        public readonly float* ValuesTurned;
        /// <summary>Keys as rows, scaled: for dQ.</summary>
        public readonly float* Keys;
        /// <summary>Rows of dOut or of scaled queries.</summary>
        public readonly float* Rows;
        public readonly float* P;
        public readonly float* DS;
        public readonly float* DKeys;
        public readonly float* DValues;
        public readonly float* Corner;
        public readonly float* Ones;
        /// <summary>Floats between rows of <see cref="DKeys"/>.</summary>
        public readonly int KeyStep;
        /// <summary>Floats between rows of <see cref="DValues"/>.</summary>
        public readonly int ValueStep;
        private readonly int _width;

        public Panels(AttentionCall* call, int width)
        {
            _width = width;
            KeyStep = (call->HeadDim + width - 1) / width * width;
            ValueStep = (call->ValueDim + width - 1) / width * width;
            int slack = (GemmPack.Slack + 15) & ~15;
            float* next = GemmScratch.Rent(Block * (3L * KeyStep + 2L * ValueStep + Math.Max(KeyStep, ValueStep) + 2 * Block) + 4 * slack + 6 * width + 64);
            KeysTurned = Take(ref next, Block * KeyStep + slack);
            ValuesTurned = Take(ref next, Block * ValueStep + slack);
            Keys = Take(ref next, Block * KeyStep + slack);
            Rows = Take(ref next, Block * Math.Max(KeyStep, ValueStep) + slack);
            P = Take(ref next, Block * Block);
            DS = Take(ref next, Block * Block);
            DKeys = Take(ref next, Block * KeyStep);
            DValues = Take(ref next, Block * ValueStep);
            Corner = Take(ref next, AttentionTile.Rows * width);
            Ones = Take(ref next, AttentionTile.Rows);
            new Span<float>(Ones, AttentionTile.Rows).Fill(1);
        }

        /// <summary>Packs a block of keys and values and clears their derivatives.</summary>
        public void PackKeys(AttentionCall* call, int head, int start, int count, bool wide, bool asRowsToo)
        {
            float* k = call->K + start * call->LdK + (long)head * call->HeadDim;
            float* v = call->V + start * call->LdV + (long)head * call->ValueDim;
            GemmPack.Panels(new GemmOperand(k, DType.F32, call->LdK), 0, count, 0, call->HeadDim, call->Scale, KeysTurned, _width, _width * call->HeadDim, wide, null);
            GemmPack.Panels(new GemmOperand(v, DType.F32, call->LdV), 0, count, 0, call->ValueDim, 1, ValuesTurned, _width, _width * call->ValueDim, wide, null);
            if (asRowsToo)
                GemmPack.Panels(new GemmOperand(k, DType.F32, call->LdK, transposed: true), 0, call->HeadDim, 0, count, call->Scale, Keys, _width, Block * _width, wide, null);
            new Span<float>(DKeys, count * KeyStep).Clear();
            new Span<float>(DValues, count * ValueStep).Clear();
        }

        private static float* Take(ref float* next, int floats)
        {
            float* block = next;
            next += (floats + 15) & ~15;
            return block;
        }
    }
}
