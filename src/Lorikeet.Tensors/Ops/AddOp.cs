using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Sums of tensors.</summary>
public static unsafe class AddOp
{
    /// <summary>
    /// <c>x + y</c> in the memory of <paramref name="y"/>: use the result, not y. For results of products, whose own derivative does not need them.
    /// </summary>
    public static Tensor AddTo(this Tape tape, Tensor x, Tensor y)
    {
        Check.SameShape("sum", x, y);
        Check.Contiguous("sum", x);
        Check.Contiguous("sum", y);
        Check.F32("sum", x);
        Check.Overwritable("sum", y);
        VectorKernel.AddTo(x.F, y.F, x.Shape.Elements);
        if (!tape.Recording || !(x.RequiresGrad || y.RequiresGrad))
            return y;
        AddNode node = tape.Rent<AddNode>();
        (node.X, node.Y) = (x, y);
        return tape.Record(node, tape.Alias(y));
    }

    /// <summary><c>x + y</c> in new memory.</summary>
    public static Tensor Add(this Tape tape, Tensor x, Tensor y)
    {
        Check.SameShape("sum", x, y);
        Check.Contiguous("sum", x);
        Check.Contiguous("sum", y);
        Check.F32("sum", x);
        Check.F32("sum", y);
        Tensor sum = tape.New(x.Shape);
        VectorKernel.Add(x.F, y.F, sum.F, x.Shape.Elements);
        if (!tape.Recording || !(x.RequiresGrad || y.RequiresGrad))
            return sum;
        AddNode node = tape.Rent<AddNode>();
        (node.X, node.Y) = (x, y);
        return tape.Record(node, sum);
    }

    private sealed class AddNode : Node
    {
        public Tensor X = null!, Y = null!;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            if (tape.GradOf(X, out bool there) is { } dx)
            {
                if (there)
                    VectorKernel.AddTo(dy.F, dx.F, dx.Shape.Elements);
                else
                    VectorKernel.Copy(dy.F, dx.F, dx.Shape.Elements);
            }
            tape.PassGrad(Output, Y);
        }

        protected internal override void Clear() => (X, Y) = (null!, null!);
    }
}
