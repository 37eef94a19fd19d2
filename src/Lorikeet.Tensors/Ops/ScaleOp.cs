using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Products with a constant.</summary>
public static unsafe class ScaleOp
{
    /// <summary><c>y = factor · x</c>.</summary>
    public static Tensor Scale(this Tape tape, Tensor x, float factor)
    {
        Check.F32("scale", x);
        Check.Contiguous("scale", x);
        Tensor y = tape.New(x.Shape);
        VectorKernel.Scale(factor, x.F, y.F, x.Shape.Elements);
        if (!tape.Recording || !x.RequiresGrad)
            return y;
        ScaleNode node = tape.Rent<ScaleNode>();
        (node.X, node.Factor) = (x, factor);
        return tape.Record(node, y);
    }

    private sealed class ScaleNode : Node
    {
        public Tensor X = null!;
        public float Factor;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            VectorKernel.Scale(Factor, dy.F, dy.F, dy.Shape.Elements);
            tape.PassGrad(Output, X);
        }

        protected internal override void Clear() => X = null!;
    }
}
