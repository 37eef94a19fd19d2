using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>A vector added to every row.</summary>
public static unsafe class AddBiasOp
{
    /// <summary><c>x[i, j] + bias[j]</c> in the memory of <paramref name="x"/>: use the result. For results whose own derivative does not need them.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, dim]</c>.</param>
    /// <param name="bias">dim numbers.</param>
    public static Tensor AddBias(this Tape tape, Tensor x, Tensor bias)
    {
        Check.Overwritable("bias", x);
        Check.Vector("bias", bias, x.Columns);
        VectorKernel.AddBias(x.F, x.Ld, bias.F, x.Rows, x.Columns);
        if (!tape.Recording || !(x.RequiresGrad || bias.RequiresGrad))
            return x;
        AddBiasNode node = tape.Rent<AddBiasNode>();
        (node.X, node.Bias) = (x, bias);
        return tape.Record(node, tape.Alias(x));
    }

    private sealed class AddBiasNode : Node
    {
        public Tensor X = null!, Bias = null!;

        protected internal override void Backward(Tape tape)
        {
            if (tape.GradOf(Bias, out bool there) is { } db)
                Products.BackwardBias(Output.Grad!, db, there);
            tape.PassGrad(Output, X);
        }

        protected internal override void Clear() => (X, Bias) = (null!, null!);
    }
}
