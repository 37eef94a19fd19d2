using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Products element by element.</summary>
public static unsafe class MultiplyOp
{
    /// <summary><c>y = a ⊙ b</c>.</summary>
    public static Tensor Multiply(this Tape tape, Tensor a, Tensor b)
    {
        Check.SameShape("product", a, b);
        Check.Contiguous("product", a);
        Check.Contiguous("product", b);
        Check.F32("product", a);
        Check.F32("product", b);
        Tensor y = tape.New(a.Shape);
        VectorKernel.Mul(a.F, b.F, y.F, a.Shape.Elements);
        if (!tape.Recording || !(a.RequiresGrad || b.RequiresGrad))
            return y;
        MultiplyNode node = tape.Rent<MultiplyNode>();
        (node.A, node.B) = (a, b);
        if (a.RequiresGrad)
            Tape.Save(b);
        if (b.RequiresGrad)
            Tape.Save(a);
        return tape.Record(node, y);
    }

    private sealed class MultiplyNode : Node
    {
        public Tensor A = null!, B = null!;

        protected internal override void Backward(Tape tape)
        {
            Add(tape, A, B);
            Add(tape, B, A);
        }

        protected internal override void Clear() => (A, B) = (null!, null!);

        private void Add(Tape tape, Tensor input, Tensor other)
        {
            if (tape.GradOf(input, out bool there) is not { } grad)
                return;
            if (!there)
                VectorKernel.Fill(0, grad.F, grad.Shape.Elements);
            VectorKernel.MulAddTo(Output.Grad!.F, other.F, grad.F, grad.Shape.Elements);
        }
    }
}
