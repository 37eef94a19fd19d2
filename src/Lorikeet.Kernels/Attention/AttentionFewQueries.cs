using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// Forward attention of so few queries that reading the keys is most of the work: decoding. Keys and values are used where they lie and as they are stored.
/// </summary>
internal static unsafe class AttentionFewQueries
{
    private const int BlockKeys = 256;

    /// <summary>Floats from the scores of one head to those of the next: four keys at a time write beyond the last one.</summary>
    private const int ScoreStep = BlockKeys + 16;

    /// <summary>One piece of the keys of one head, for all queries, into the output or, where there are other pieces, into shared.</summary>
    public static void Part<S, V, D>(AttentionCall* call, AttentionPlan* plan, int head, int split, float* shared)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        if (call->Pages == null || call->Layout.Type == DType.F32)
            Part<S, V, D, KvF32>(call, plan, head, split, shared);
        else if (call->Layout.Type == DType.BF16)
            Part<S, V, D, KvBF16>(call, plan, head, split, shared);
        else
            Part<S, V, D, KvI8>(call, plan, head, split, shared);
    }

    private static void Part<S, V, D, T>(AttentionCall* call, AttentionPlan* plan, int head, int split, float* shared)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        int low = int.MaxValue, high = 0;
        for (int i = 0; i < call->Queries; i++)
        {
            if (call->First[i] >= call->Last[i])
                continue;
            low = Math.Min(low, call->First[i]);
            high = Math.Max(high, call->Last[i]);
        }
        int piece = (Math.Max(high - low, 0) + plan->Splits - 1) / plan->Splits;
        int from = low + split * piece, end = Math.Min(from + piece, high);

        int width = 2 * S.Count, rows = plan->Group * call->Queries, valueStep = (call->ValueDim + width - 1) / width * width;
        float* s = GemmScratch.Rent((long)plan->Group * ScoreStep + (long)BlockKeys * width + GemmPack.Slack + (long)rows * (valueStep + 2) + 2L * plan->Group + 7 * 16);
        float* panel = AttentionForwardJob.Next(s, (long)plan->Group * ScoreStep);
        float* sums = AttentionForwardJob.Next(panel, (long)BlockKeys * width + GemmPack.Slack);
        float* max = AttentionForwardJob.Next(sums, (long)rows * valueStep);
        float* total = AttentionForwardJob.Next(max, rows);
        float* factors = AttentionForwardJob.Next(total, rows);
        new Span<float>(sums, rows * valueStep).Clear();
        new Span<float>(max, rows).Fill(float.NegativeInfinity);
        new Span<float>(total, rows).Clear();
        // behind the factors of what was summed before: ones, of what the same block adds
        new Span<float>(factors + plan->Group, plan->Group).Fill(1);

        for (int start = from; start < end; start += BlockKeys)
        {
            int count = Math.Min(BlockKeys, end - start);
            for (int i = 0; i < call->Queries; i++)
            {
                int first = Math.Max(call->First[i] - start, 0), last = Math.Min(call->Last[i] - start, count);
                // the rows of the group's heads lie as many rows apart as there are queries
                if (first < last)
                    Row<S, V, D, T>(call, plan, head, i, start, first, last, s, panel, sums + (long)i * valueStep, valueStep, max + i, total + i, factors);
            }
        }
        float* partial = plan->Splits > 1 ? plan->Partial(shared, *call, 0, head, split) : null;
        for (int r = 0; r < rows; r++)
        {
            float* row = sums + (long)r * valueStep;
            if (partial != null)
                AttentionForwardJob.Keep(call, row, max[r], total[r], partial + (long)r * (call->ValueDim + 2));
            else
                AttentionForwardJob.Write<S, V, D>(call, r % call->Queries, head * plan->Group + r / call->Queries, row, max[r], total[r]);
        }
    }

    /// <summary>One query, the heads of one group, and the keys <c>first .. last - 1</c> from start.</summary>
    private static void Row<S, V, D, T>(AttentionCall* call, AttentionPlan* plan, int head, int query, int start, int first, int last,
        float* s, float* panel, float* sums, int valueStep, float* max, float* total, float* factors)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        int dim = call->HeadDim, group = plan->Group;
        float* q = call->Q + query * call->LdQ + (long)head * group * dim;
        AttentionRows keys = AttentionRows.Keys(*call, head);
        for (int at = first; at < last;)
        {
            byte* from = keys.At(start + at, out int run);
            run = Math.Min(run, last - at);
            float* scales = typeof(T) == typeof(KvI8) ? keys.Scales(start + at) : null;
            int g = 0;
            for (; g <= group - 2; g += 2)
                ScoresOfTwo<S, V, D, T>(q + g * dim, dim, from, keys.Stride, run, call->Scale, scales, s + g * ScoreStep + at);
            if (g < group)
                ScoresOfOne<S, V, D, T>(q + g * dim, dim, from, keys.Stride, run, call->Scale, scales, s + g * ScoreStep + at);
            at += run;
        }
        int begin = first & -S.Count, end = (last + S.Count - 1) & -S.Count;
        for (int g = 0; g < group; g++)
        {
            factors[g] = AttentionSoftmax.Row<S, V, D>(s + g * ScoreStep, first, last, begin, end, call->SoftCap,
                ref max[g * call->Queries], ref total[g * call->Queries]);
        }
        AttentionRows values = AttentionRows.Values(*call, head);
        for (int at = first; at < last;)
        {
            byte* from = values.At(start + at, out int run);
            run = Math.Min(run, last - at);
            for (int g = 0; typeof(T) == typeof(KvI8) && g < group; g++)
                RowJob<MulOp>.Line<S, V, D>(s + g * ScoreStep + at, values.Scales(start + at), null, s + g * ScoreStep + at, 0, run);
            Sum<S, V, D, T>(call, group, from, values.Stride, run, s + at, panel, sums, valueStep, at == first ? factors : factors + group);
            at += run;
        }
    }

    /// <summary>Adds the values of a run of keys, weighted, to the sums of a group's heads; what they held is multiplied by keep.</summary>
    private static void Sum<S, V, D, T>(AttentionCall* call, int group, byte* values, nint stride, int keys, float* s, float* panel,
        float* sums, int valueStep, float* keep)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        int width = 2 * S.Count;
        nint sumStep = call->Queries * valueStep;
        for (int g = 0, rows; g < group; g += rows)
        {
            rows = Math.Min(AttentionTile.Rows, group - g);
            float* to = sums + g * sumStep;
            // three rows take half the work of six
            if (rows <= 3 && call->ValueDim % (2 * width) == 0)
            {
                for (int column = 0; column < valueStep; column += 2 * width)
                    AttentionTile.RunThree<S, V, D, T>(s + g * ScoreStep, ScoreStep, rows, values + column * T.Bytes, stride, keys, to + column, sumStep, keep + g);
                continue;
            }
            for (int column = 0; column < valueStep; column += width)
            {
                if (call->Pages != null || column + width <= call->ValueDim)
                {
                    AttentionTile.Run<S, V, D, T>(s + g * ScoreStep, ScoreStep, 1, rows, values + column * T.Bytes, stride, keys, to + column, sumStep, keep + g);
                    continue;
                }
                // a vector would read past the end of the row, which only pages have room for
                GemmPack.Panels(new GemmOperand((float*)values + column, DType.F32, call->LdV, transposed: true), 0, call->ValueDim - column, 0, keys, 1,
                    panel, width, 0, wide: S.Count >= 8, null);
                AttentionTile.Run<S, V, D>(s + g * ScoreStep, ScoreStep, 1, rows, panel, width, keys, to + column, sumStep, keep + g);
            }
        }
    }

    /// <summary>Scores of two heads, four keys side by side. May write up to three scores too many, and reads as many scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresOfTwo<S, V, D, T>(float* q, int dim, byte* k, nint stride, int keys, float scale, float* scales, float* s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        Vector128<float> factor = Vector128.Create(scale);
        for (int j = 0; j < keys; j += 4)
        {
            byte* k0 = k + j * stride;
            byte* k1 = j + 1 < keys ? k0 + stride : k0;
            byte* k2 = j + 2 < keys ? k1 + stride : k1;
            byte* k3 = j + 3 < keys ? k2 + stride : k2;
            V a0 = S.Create(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
            int i = 0;
            for (; i <= dim - S.Count; i += S.Count)
            {
                nint at = i * T.Bytes;
                V x = S.Load(q + i), y = S.Load(q + dim + i), z = T.Load<S, V, D>(k0 + at);
                a0 = S.Fma(x, z, a0);
                b0 = S.Fma(y, z, b0);
                z = T.Load<S, V, D>(k1 + at);
                a1 = S.Fma(x, z, a1);
                b1 = S.Fma(y, z, b1);
                z = T.Load<S, V, D>(k2 + at);
                a2 = S.Fma(x, z, a2);
                b2 = S.Fma(y, z, b2);
                z = T.Load<S, V, D>(k3 + at);
                a3 = S.Fma(x, z, a3);
                b3 = S.Fma(y, z, b3);
            }
            Vector128<float> a = S.Sums(a0, a1, a2, a3), b = S.Sums(b0, b1, b2, b3);
            for (; i < dim; i++)
            {
                nint at = i * T.Bytes;
                Vector128<float> z = Vector128.Create(T.Load(k0 + at), T.Load(k1 + at), T.Load(k2 + at), T.Load(k3 + at));
                a += z * q[i];
                b += z * q[dim + i];
            }
            Vector128<float> by = scales == null ? factor : factor * Vector128.Load(scales + j);
            (a * by).Store(s + j);
            (b * by).Store(s + ScoreStep + j);
        }
    }

    /// <summary>Scores of one head, four keys side by side. May write up to three scores too many, and reads as many scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresOfOne<S, V, D, T>(float* q, int dim, byte* k, nint stride, int keys, float scale, float* scales, float* s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        Vector128<float> factor = Vector128.Create(scale);
        for (int j = 0; j < keys; j += 4)
        {
            byte* k0 = k + j * stride;
            byte* k1 = j + 1 < keys ? k0 + stride : k0;
            byte* k2 = j + 2 < keys ? k1 + stride : k1;
            byte* k3 = j + 3 < keys ? k2 + stride : k2;
            V a0 = S.Create(0), a1 = a0, a2 = a0, a3 = a0;
            int i = 0;
            for (; i <= dim - S.Count; i += S.Count)
            {
                nint at = i * T.Bytes;
                V x = S.Load(q + i);
                a0 = S.Fma(x, T.Load<S, V, D>(k0 + at), a0);
                a1 = S.Fma(x, T.Load<S, V, D>(k1 + at), a1);
                a2 = S.Fma(x, T.Load<S, V, D>(k2 + at), a2);
                a3 = S.Fma(x, T.Load<S, V, D>(k3 + at), a3);
            }
            Vector128<float> a = S.Sums(a0, a1, a2, a3);
            for (; i < dim; i++)
            {
                nint at = i * T.Bytes;
                a += Vector128.Create(T.Load(k0 + at), T.Load(k1 + at), T.Load(k2 + at), T.Load(k3 + at)) * q[i];
            }
            (a * (scales == null ? factor : factor * Vector128.Load(scales + j))).Store(s + j);
        }
    }
}
