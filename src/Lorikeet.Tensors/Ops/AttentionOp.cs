using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Scaled dot-product attention over grouped heads, by blocks (Dao et al. 2022, arXiv:2205.14135).</summary>
public static unsafe class AttentionOp
{
    /// <summary>
    /// Up to so many keys to a query, on average, the output is not kept for the derivative but made again: a fiftieth of a block's work for a tenth of its memory.
    /// Beyond, the work grows with the keys and the memory does not.
    /// </summary>
    public const int FewKeys = 256;

    /// <summary>
    /// Each query row sees the key rows <c>first[i] ≤ j &lt; last[i]</c>: that one range says causal, window, document and prefix. No matrix of
    /// queries × keys is ever held.
    /// </summary>
    /// <param name="tape">The step.</param>
    /// <param name="q"><c>[queries, heads · headDim]</c>.</param>
    /// <param name="k"><c>[keys, kvHeads · headDim]</c>.</param>
    /// <param name="v"><c>[keys, kvHeads · valueDim]</c>.</param>
    /// <param name="first"><c>[queries]</c> i32.</param>
    /// <param name="last"><c>[queries]</c> i32.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="kvHeads">Key and value heads; a divisor of <paramref name="heads"/>.</param>
    /// <param name="scale">Factor of the scores, usually 1 / sqrt(headDim).</param>
    /// <param name="softCap">Scores are bent to <c>cap · tanh(score / cap)</c> (Gemma 2); 0 for none.</param>
    /// <returns><c>[queries, heads · valueDim]</c>.</returns>
    public static Tensor Attention(
        this Tape tape, Tensor q, Tensor k, Tensor v, Tensor first, Tensor last, int heads, int kvHeads, float scale, float softCap = 0)
    {
        CheckHeads(q, k, v, heads, kvHeads);
        Check.Rows("attention", v, k.Rows);
        long seen = CheckRanges(first, last, q.Rows, k.Rows);
        // the kernel of the derivative writes to all three at once
        if (k == q)
            k = tape.Scale(k, 1);
        if (v == q || v == k)
            v = tape.Scale(v, 1);
        Tensor y = tape.New(new Shape(q.Rows, heads * (v.Columns / kvHeads)));
        bool record = tape.Recording && (q.RequiresGrad || k.RequiresGrad || v.RequiresGrad);
        Tensor? lse = record ? tape.New(new Shape(q.Rows, heads)) : null;
        AttentionCall call = Call(q, k, v, first, last, heads, kvHeads, scale, softCap, y, lse);
        AttentionKernel.Forward(call);
        if (!record)
            return y;
        AttentionNode node = tape.Rent<AttentionNode>();
        (node.Q, node.K, node.V) = (Tape.Save(q), Tape.Save(k), Tape.Save(v));
        (node.First, node.Last, node.Lse) = (Tape.Save(first), Tape.Save(last), Tape.Save(lse!, exact: true));
        (node.Heads, node.KvHeads, node.Scale, node.SoftCap, node.SeesFew) = (heads, kvHeads, scale, softCap, seen <= (long)FewKeys * q.Rows);
        return tape.Record(node, Tape.Save(y));
    }

    internal static void CheckHeads(Tensor q, Tensor k, Tensor v, int heads, int kvHeads)
    {
        Check.F32("attention", q);
        Check.F32("attention", k);
        Check.F32("attention", v);
        if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0 || q.Columns % heads != 0 || k.Columns != q.Columns / heads * kvHeads || v.Columns % kvHeads != 0)
            throw new ArgumentException($"attention: queries {q} of {heads} heads do not fit keys {k} and values {v} of {kvHeads}");
    }

    /// <summary>How many keys all queries see together.</summary>
    private static long CheckRanges(Tensor first, Tensor last, int queries, int keys)
    {
        Check.Indices("attention", first, queries);
        Check.Indices("attention", last, queries);
        CheckRange(first, last, 0, queries, keys);
        long seen = 0;
        for (int i = 0; i < queries; i++)
            seen += Math.Max(0, last.I[i] - first.I[i]);
        return seen;
    }

    internal static void CheckRange(Tensor first, Tensor last, int start, int queries, int keys)
    {
        for (int i = start; i < start + queries; i++)
        {
            if (first.I[i] < last.I[i] && (first.I[i] < 0 || last.I[i] > keys))
                throw new ArgumentException($"attention: query {i} is to see the keys {first.I[i]}..{last.I[i] - 1}, there are {keys}");
        }
    }

    private static AttentionCall Call(
        Tensor q, Tensor k, Tensor v, Tensor first, Tensor last, int heads, int kvHeads, float scale, float softCap, Tensor y, Tensor? lse) => new()
        {
            Q = q.F,
            LdQ = q.Ld,
            K = k.F,
            LdK = k.Ld,
            V = v.F,
            LdV = v.Ld,
            Out = y.F,
            LdOut = y.Ld,
            LogSumExp = lse is null ? null : lse.F,
            Queries = q.Rows,
            Keys = k.Rows,
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = q.Columns / heads,
            ValueDim = v.Columns / kvHeads,
            First = first.I,
            Last = last.I,
            Scale = scale,
            SoftCap = softCap,
        };

    private sealed class AttentionNode : Node
    {
        public Tensor Q = null!, K = null!, V = null!, First = null!, Last = null!, Lse = null!;
        public int Heads, KvHeads;
        public float Scale, SoftCap;
        public bool SeesFew;

        protected internal override bool CanRemake => SeesFew;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            Tensor? dq = tape.GradOf(Q, out bool qThere);
            Tensor? dk = tape.GradOf(K, out bool kThere);
            Tensor? dv = tape.GradOf(V, out bool vThere);
            // the kernel writes dk and dv or adds to both: what is fresh becomes zero where the other one is not
            if (dk is not null && vThere && !kThere)
                VectorKernel.Fill(0, dk.F, dk.Shape.Elements);
            if (dv is not null && kThere && !vThere)
                VectorKernel.Fill(0, dv.F, dv.Shape.Elements);
            AttentionCall call = Call(Q, K, V, First, Last, Heads, KvHeads, Scale, SoftCap, Output, Lse);
            AttentionKernel.Backward(call, dy.F, dy.Ld, dq is null ? null : dq.F, dq?.Ld ?? 0, dk is null ? null : dk.F, dk?.Ld ?? 0,
                dv is null ? null : dv.F, dv?.Ld ?? 0, qThere, kThere || vThere);
            tape.Free(Lse);
        }

        protected internal override void Remake() => AttentionKernel.Forward(Call(Q, K, V, First, Last, Heads, KvHeads, Scale, SoftCap, Output, null));

        protected internal override void Clear() => (Q, K, V, First, Last, Lse) = (null!, null!, null!, null!, null!, null!);
    }
}
