using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// Forward attention of so few queries that reading the keys is most of the work: decoding. Keys and values are used where they lie, whole rows for
/// all heads within a block that stays in the cache.
/// </summary>
internal static unsafe class AttentionFewQueries
{
    private const int MostBlockKeys = 256;
    private const int BlockFloats = 32 * 1024;

    /// <summary>One piece of the keys for all queries and heads, into the output or, where there are other pieces, into shared.</summary>
    public static void Part<S, V, D>(AttentionCall* call, AttentionPlan* plan, int split, float* shared)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
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

        int width = 2 * S.Count, rows = call->Heads * call->Queries, valueStep = (call->ValueDim + width - 1) / width * width;
        int blockKeys = (int)Math.Clamp(BlockFloats / Math.Max(call->LdK, 1), 16, MostBlockKeys) & -16;
        float* s = GemmScratch.Rent((long)plan->Group * MostBlockKeys + (long)MostBlockKeys * width + GemmPack.Slack + (long)rows * (valueStep + 3) + 6 * 16);
        float* panel = AttentionForwardJob.Next(s, (long)plan->Group * MostBlockKeys + 4);
        float* sums = AttentionForwardJob.Next(panel, (long)MostBlockKeys * width + GemmPack.Slack);
        float* max = AttentionForwardJob.Next(sums, (long)rows * valueStep);
        float* total = AttentionForwardJob.Next(max, rows);
        float* factors = AttentionForwardJob.Next(total, rows);
        new Span<float>(sums, rows * valueStep).Clear();
        new Span<float>(max, rows).Fill(float.NegativeInfinity);
        new Span<float>(total, rows).Clear();

        for (int start = from; start < end; start += blockKeys)
        {
            int count = Math.Min(blockKeys, end - start);
            int ahead = Math.Min(blockKeys, end - start - count);
            for (int head = 0; head < call->KvHeads; head++)
            {
                // this head's share of the next block, row after row: reading head by head would be in leaps, which memory is slow at
                int next = ahead * head / call->KvHeads, after = ahead * (head + 1) / call->KvHeads;
                Prefetch(call->K + (start + count + next) * call->LdK, call->LdK, after - next, call->KvHeads * call->HeadDim);
                Prefetch(call->V + (start + count + next) * call->LdV, call->LdV, after - next, call->KvHeads * call->ValueDim);
                for (int i = 0; i < call->Queries; i++)
                {
                    int first = Math.Max(call->First[i] - start, 0), last = Math.Min(call->Last[i] - start, count);
                    if (first >= last)
                        continue;
                    // the rows of the group's heads lie one query apart
                    int row = head * plan->Group * call->Queries + i;
                    Row<S, V, D>(call, plan, head, i, start, first, last, s, panel, sums + (long)row * valueStep, valueStep, max + row, total + row, factors);
                }
            }
        }
        for (int r = 0; r < rows; r++)
        {
            float* row = sums + (long)r * valueStep;
            int head = r / call->Queries, inGroup = r % (plan->Group * call->Queries);
            if (plan->Splits > 1)
            {
                float* partial = plan->Partial(shared, *call, 0, head / plan->Group, split);
                AttentionForwardJob.Keep(call, row, max[r], total[r], partial + (long)inGroup * (call->ValueDim + 2));
            }
            else
            {
                AttentionForwardJob.Write<S, V, D>(call, r % call->Queries, head, row, max[r], total[r]);
            }
        }
    }

    private static void Prefetch(float* x, long ldx, int rows, int dim)
    {
        if (!Sse.IsSupported)
            return;
        for (int r = 0; r < rows; r++, x += ldx)
        {
            for (int i = 0; i < dim; i += 16)
                Sse.Prefetch1(x + i);
        }
    }

    /// <summary>One query, the heads of one group, and the keys <c>first .. last - 1</c> from start.</summary>
    private static void Row<S, V, D>(AttentionCall* call, AttentionPlan* plan, int head, int query, int start, int first, int last,
        float* s, float* panel, float* sums, int valueStep, float* max, float* total, float* factors)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count, dim = call->HeadDim, group = plan->Group;
        float* q = call->Q + query * call->LdQ + (long)head * group * dim;
        float* keys = call->K + (start + first) * call->LdK + (long)head * dim;
        int g = 0;
        for (; g <= group - 2; g += 2)
            ScoresOfTwo<S, V, D>(q + g * dim, dim, keys, (nint)call->LdK, last - first, call->Scale, s + g * MostBlockKeys + first);
        if (g < group)
            ScoresOfOne<S, V, D>(q + g * dim, dim, keys, (nint)call->LdK, last - first, call->Scale, s + g * MostBlockKeys + first);
        int from = first & -S.Count, to = (last + S.Count - 1) & -S.Count;
        for (g = 0; g < group; g++)
        {
            factors[g] = AttentionSoftmax.Row<S, V, D>(s + g * MostBlockKeys, first, last, from, to, call->SoftCap,
                ref max[g * call->Queries], ref total[g * call->Queries]);
        }
        float* values = call->V + (start + first) * call->LdV + (long)head * call->ValueDim;
        for (g = 0; g < group;)
        {
            int rows = Math.Min(AttentionTile.Rows, group - g);
            // three rows take half the work of six
            if (rows <= 3 && call->ValueDim % (2 * width) == 0)
            {
                for (int column = 0; column < valueStep; column += 2 * width)
                {
                    AttentionTile.RunThree<S, V, D>(s + g * MostBlockKeys + first, MostBlockKeys, rows, values + column, (nint)call->LdV, last - first,
                        sums + (long)g * call->Queries * valueStep + column, call->Queries * valueStep, factors + g);
                }
            }
            else
            {
                for (int column = 0; column < valueStep; column += width)
                    Six<S, V, D>(call, values, column, last - first, s + g * MostBlockKeys + first, rows, panel,
                        sums + (long)g * call->Queries * valueStep + column, call->Queries * valueStep, factors + g);
            }
            g += rows;
        }
    }

    private static void Six<S, V, D>(AttentionCall* call, float* values, int column, int keys, float* s, int rows, float* panel,
        float* sums, nint sumStep, float* factors)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int width = 2 * S.Count;
        float* b = values + column;
        nint step = (nint)call->LdV;
        if (column + width > call->ValueDim)
        {
            // a vector would read past the end of the row
            GemmPack.Panels(new GemmOperand(b, DType.F32, call->LdV, transposed: true), 0, call->ValueDim - column, 0, keys, 1, panel, width, 0,
                wide: S.Count >= 8, null);
            b = panel;
            step = width;
        }
        AttentionTile.Run<S, V, D>(s, MostBlockKeys, 1, rows, b, step, keys, sums, sumStep, factors);
    }

    /// <summary>Scores of two heads, four keys side by side. May write up to three scores too many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresOfTwo<S, V, D>(float* q, int dim, float* k, nint ldk, int keys, float scale, float* s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        Vector128<float> factor = Vector128.Create(scale);
        for (int j = 0; j < keys; j += 4)
        {
            float* k0 = k + j * ldk;
            float* k1 = j + 1 < keys ? k0 + ldk : k0;
            float* k2 = j + 2 < keys ? k1 + ldk : k1;
            float* k3 = j + 3 < keys ? k2 + ldk : k2;
            V a0 = S.Create(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
            int i = 0;
            for (; i <= dim - S.Count; i += S.Count)
            {
                V x = S.Load(q + i), y = S.Load(q + dim + i), z = S.Load(k0 + i);
                a0 = S.Fma(x, z, a0);
                b0 = S.Fma(y, z, b0);
                z = S.Load(k1 + i);
                a1 = S.Fma(x, z, a1);
                b1 = S.Fma(y, z, b1);
                z = S.Load(k2 + i);
                a2 = S.Fma(x, z, a2);
                b2 = S.Fma(y, z, b2);
                z = S.Load(k3 + i);
                a3 = S.Fma(x, z, a3);
                b3 = S.Fma(y, z, b3);
            }
            Vector128<float> a = S.Sums(a0, a1, a2, a3), b = S.Sums(b0, b1, b2, b3);
            for (; i < dim; i++)
            {
                Vector128<float> z = Vector128.Create(k0[i], k1[i], k2[i], k3[i]);
                a += z * q[i];
                b += z * q[dim + i];
            }
            (a * factor).Store(s + j);
            (b * factor).Store(s + MostBlockKeys + j);
        }
    }

    /// <summary>Scores of one head, four keys side by side. May write up to three scores too many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoresOfOne<S, V, D>(float* q, int dim, float* k, nint ldk, int keys, float scale, float* s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        Vector128<float> factor = Vector128.Create(scale);
        for (int j = 0; j < keys; j += 4)
        {
            float* k0 = k + j * ldk;
            float* k1 = j + 1 < keys ? k0 + ldk : k0;
            float* k2 = j + 2 < keys ? k1 + ldk : k1;
            float* k3 = j + 3 < keys ? k2 + ldk : k2;
            V a0 = S.Create(0), a1 = a0, a2 = a0, a3 = a0;
            int i = 0;
            for (; i <= dim - S.Count; i += S.Count)
            {
                V x = S.Load(q + i);
                a0 = S.Fma(x, S.Load(k0 + i), a0);
                a1 = S.Fma(x, S.Load(k1 + i), a1);
                a2 = S.Fma(x, S.Load(k2 + i), a2);
                a3 = S.Fma(x, S.Load(k3 + i), a3);
            }
            Vector128<float> a = S.Sums(a0, a1, a2, a3);
            for (; i < dim; i++)
                a += Vector128.Create(k0[i], k1[i], k2[i], k3[i]) * q[i];
            (a * factor).Store(s + j);
        }
    }
}
