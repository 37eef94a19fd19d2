using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The cached keys of one sequence and the query rows that look at them.</summary>
/// <param name="Keys"><c>[capacity, kvHeads · headDim]</c>.</param>
/// <param name="Values"><c>[capacity, kvHeads · valueDim]</c>.</param>
/// <param name="Length">Rows of them that count.</param>
/// <param name="FirstQuery">First query row of the sequence.</param>
/// <param name="Queries">How many.</param>
public readonly record struct CachedKeys(Tensor Keys, Tensor Values, int Length, int FirstQuery, int Queries);

/// <summary>Attention of a batch whose sequences keep their keys and values apart. For generation: no derivative is noted.</summary>
public static unsafe class CachedAttentionOp
{
    /// <summary>As <see cref="AttentionOp.Attention"/>, with ranges in rows of each sequence's own cache.</summary>
    /// <param name="tape">The step; not recording.</param>
    /// <param name="q"><c>[queries, heads · headDim]</c>.</param>
    /// <param name="sequences">One entry each; together they cover all query rows.</param>
    /// <param name="first"><c>[queries]</c> i32.</param>
    /// <param name="last"><c>[queries]</c> i32.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="kvHeads">Key and value heads.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <returns><c>[queries, heads · valueDim]</c>.</returns>
    public static Tensor CachedAttention(
        this Tape tape, Tensor q, ReadOnlySpan<CachedKeys> sequences, Tensor first, Tensor last, int heads, int kvHeads, float scale)
    {
        if (tape.Recording && q.RequiresGrad)
            throw new InvalidOperationException("attention over a cache has no derivative: train without one");
        CheckSequences(q, sequences, first, last, heads, kvHeads);
        int valueDim = sequences[0].Values.Columns / kvHeads;
        Tensor y = tape.New(new Shape(q.Rows, heads * valueDim));
        Tensor calls = tape.New(new Shape(sequences.Length * sizeof(AttentionCall)), DType.U8);
        AttentionCall* call = (AttentionCall*)calls.Pointer;
        for (int i = 0; i < sequences.Length; i++)
        {
            CachedKeys s = sequences[i];
            call[i] = new AttentionCall
            {
                Q = q.F + s.FirstQuery * q.Ld,
                LdQ = q.Ld,
                K = s.Keys.F,
                LdK = s.Keys.Ld,
                V = s.Values.F,
                LdV = s.Values.Ld,
                Out = y.F + s.FirstQuery * y.Ld,
                LdOut = y.Ld,
                Queries = s.Queries,
                Keys = s.Length,
                Heads = heads,
                KvHeads = kvHeads,
                HeadDim = q.Columns / heads,
                ValueDim = valueDim,
                First = first.I + s.FirstQuery,
                Last = last.I + s.FirstQuery,
                Scale = scale,
            };
        }
        AttentionKernel.ForwardBatch(call, sequences.Length);
        tape.Free(calls);
        return y;
    }

    private static void CheckSequences(Tensor q, ReadOnlySpan<CachedKeys> sequences, Tensor first, Tensor last, int heads, int kvHeads)
    {
        Check.Indices("attention", first, q.Rows);
        Check.Indices("attention", last, q.Rows);
        int row = 0;
        foreach (CachedKeys s in sequences)
        {
            AttentionOp.CheckHeads(q, s.Keys, s.Values, heads, kvHeads);
            if (s.FirstQuery != row || s.Queries < 0 || s.Queries > q.Rows - row || s.Length < 0 || s.Length > Math.Min(s.Keys.Rows, s.Values.Rows)
                || s.Values.Columns != sequences[0].Values.Columns)
                throw new ArgumentException($"attention: a cache of {s.Length} rows in {s.Keys} and {s.Values} for queries {s.FirstQuery}..{s.FirstQuery + s.Queries - 1}, where query {row} of {q.Rows} comes next");
            AttentionOp.CheckRange(first, last, s.FirstQuery, s.Queries, s.Length);
            row += s.Queries;
        }
        if (row != q.Rows || sequences.IsEmpty)
            throw new ArgumentException($"attention: the caches answer {row} of {q.Rows} queries");
    }
}
