using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Rotary position embedding (Su et al. 2021, arXiv:2104.09864).</summary>
public static unsafe class RopeOp
{
    /// <summary>Rotates pairs of the first <c>2 · halfDim</c> numbers of every head, in the memory of <paramref name="x"/>: use the result.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, heads · headDim]</c>.</param>
    /// <param name="cos"><c>[rows, halfDim]</c>.</param>
    /// <param name="sin"><c>[rows, halfDim]</c>.</param>
    /// <param name="headDim">Numbers of a head.</param>
    /// <param name="interleaved">Pairs are neighbours (GPT-J) instead of a half apart (NeoX, Llama).</param>
    public static Tensor Rope(this Tape tape, Tensor x, Tensor cos, Tensor sin, int headDim, bool interleaved = false)
    {
        if (headDim < 1 || x.Columns % headDim != 0 || 2 * cos.Columns > headDim)
            throw new ArgumentException($"rotation: {x} is no row of heads of {headDim}, or {cos} turns more of a head than there is");
        Check.Overwritable("rotation", x);
        Check.Vector("rotation", cos, (long)x.Rows * cos.Columns);
        Check.Vector("rotation", sin, cos.Shape.Elements);
        int heads = x.Columns / headDim;
        RopeKernel.Apply(x.F, x.Ld, x.Rows, heads, headDim, cos.F, sin.F, cos.Columns, interleaved, inverse: false);
        if (!tape.Recording || !x.RequiresGrad)
            return x;
        RopeNode node = tape.Rent<RopeNode>();
        (node.X, node.Cos, node.Sin, node.HeadDim, node.Interleaved) = (x, Tape.Save(cos, exact: true), Tape.Save(sin, exact: true), headDim, interleaved);
        return tape.Record(node, tape.Alias(x));
    }

    private sealed class RopeNode : Node
    {
        public Tensor X = null!, Cos = null!, Sin = null!;
        public int HeadDim;
        public bool Interleaved;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            RopeKernel.Apply(dy.F, dy.Ld, dy.Rows, dy.Columns / HeadDim, HeadDim, Cos.F, Sin.F, Cos.Columns, Interleaved, inverse: true);
            tape.PassGrad(Output, X);
        }

        protected internal override void Clear() => (X, Cos, Sin) = (null!, null!, null!);
    }
}
