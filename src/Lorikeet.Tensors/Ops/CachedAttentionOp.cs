using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The cached keys and values of one sequence and the query rows that look at them.</summary>
/// <param name="Pages">Where they lie.</param>
/// <param name="Length">Rows of them that count.</param>
/// <param name="FirstQuery">First query row of the sequence.</param>
/// <param name="Queries">How many.</param>
public readonly record struct CachedKeys(KvPages Pages, int Length, int FirstQuery, int Queries);

/// <summary>Attention of a batch whose sequences keep their keys and values apart. For generation: no derivative is noted.</summary>
public static unsafe class CachedAttentionOp
{
    /// <summary>As <see cref="AttentionOp.Attention"/>, with ranges in rows of each sequence's own cache.</summary>
    /// <param name="tape">The step; not recording.</param>
    /// <param name="q"><c>[queries, heads · keyDim]</c>.</param>
    /// <param name="sequences">One entry each; together they cover all query rows.</param>
    /// <param name="layer">The layer whose keys and values are read.</param>
    /// <param name="first"><c>[queries]</c> i32.</param>
    /// <param name="last"><c>[queries]</c> i32.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <returns><c>[queries, heads · valueDim]</c>.</returns>
    public static Tensor CachedAttention(
        this Tape tape, Tensor q, ReadOnlySpan<CachedKeys> sequences, int layer, Tensor first, Tensor last, int heads, float scale)
    {
        if (tape.Recording && q.RequiresGrad)
            throw new InvalidOperationException("attention over a cache has no derivative: train without one");
        CheckSequences(q, sequences, layer, first, last, heads);
        int valueDim = sequences[0].Pages.Pool.Layout.ValueDim, pages = 0;
        foreach (CachedKeys s in sequences)
            pages += s.Pages.Count;
        Tensor y = tape.New(new Shape(q.Rows, heads * valueDim));
        Tensor calls = tape.New(new Shape(sequences.Length * sizeof(AttentionCall)), DType.U8);
        Tensor addresses = tape.New(new Shape(Math.Max(pages, 1) * sizeof(byte*)), DType.U8);
        AttentionCall* call = (AttentionCall*)calls.Pointer;
        byte** address = (byte**)addresses.Pointer;
        for (int i = 0; i < sequences.Length; i++)
        {
            CachedKeys s = sequences[i];
            KvLayout layout = s.Pages.Pool.Layout;
            s.Pages.CopyTo(address);
            call[i] = new AttentionCall
            {
                Q = q.F + s.FirstQuery * q.Ld,
                LdQ = q.Ld,
                Pages = address,
                Layout = layout,
                Layer = layer,
                Out = y.F + s.FirstQuery * y.Ld,
                LdOut = y.Ld,
                Queries = s.Queries,
                Keys = s.Length,
                Heads = heads,
                KvHeads = layout.Heads,
                HeadDim = layout.KeyDim,
                ValueDim = valueDim,
                First = first.I + s.FirstQuery,
                Last = last.I + s.FirstQuery,
                Scale = scale,
            };
            address += s.Pages.Count;
        }
        AttentionKernel.ForwardBatch(call, sequences.Length);
        foreach (CachedKeys s in sequences)
            GC.KeepAlive(s.Pages);
        tape.Free(addresses);
        tape.Free(calls);
        return y;
    }

    private static void CheckSequences(Tensor q, ReadOnlySpan<CachedKeys> sequences, int layer, Tensor first, Tensor last, int heads)
    {
        Check.F32("attention", q);
        Check.Indices("attention", first, q.Rows);
        Check.Indices("attention", last, q.Rows);
        int row = 0;
        foreach (CachedKeys s in sequences)
        {
            KvLayout layout = s.Pages.Pool.Layout;
            if ((uint)layer >= (uint)layout.Layers || heads < 1 || heads % layout.Heads != 0 || q.Columns != heads * layout.KeyDim)
                throw new ArgumentException($"attention: queries {q} of {heads} heads do not fit layer {layer} of a cache of {layout.Layers} layers with {layout.Heads} heads of {layout.KeyDim}");
            if (s.FirstQuery != row || s.Queries < 0 || s.Queries > q.Rows - row || s.Length < 0 || s.Length > s.Pages.Rows
                || layout.ValueDim != sequences[0].Pages.Pool.Layout.ValueDim)
                throw new ArgumentException($"attention: a cache of {s.Length} rows in pages of {s.Pages.Rows} for queries {s.FirstQuery}..{s.FirstQuery + s.Queries - 1}, where query {row} of {q.Rows} comes next");
            AttentionOp.CheckRange(first, last, s.FirstQuery, s.Queries, s.Length);
            row += s.Queries;
        }
        if (row != q.Rows || sequences.IsEmpty)
            throw new ArgumentException($"attention: the caches answer {row} of {q.Rows} queries");
    }
}
