using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>A learned factor for each column.</summary>
public static unsafe class ScaleColumnsOp
{
    /// <summary><c>y[i, j] = x[i, j] · factors[j]</c>: IA³'s scaling, DoRA's magnitude.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, dim]</c>.</param>
    /// <param name="factors">dim numbers, of any shape.</param>
    public static Tensor ScaleColumns(this Tape tape, Tensor x, Tensor factors)
    {
        Check.F32("column scaling", x);
        Check.Vector("column scaling", factors, x.Columns);
        Tensor y = tape.New(x.Shape);
        VectorKernel.ScaleColumns(x.F, x.Ld, factors.F, y.F, y.Ld, x.Rows, x.Columns);
        if (!tape.Recording || !(x.RequiresGrad || factors.RequiresGrad))
            return y;
        ScaleColumnsNode node = tape.Rent<ScaleColumnsNode>();
        (node.X, node.Factors) = (x, Tape.Save(factors));
        if (factors.RequiresGrad)
            Tape.Save(x);
        return tape.Record(node, y);
    }

    private sealed class ScaleColumnsNode : Node
    {
        public Tensor X = null!, Factors = null!;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            Tensor? df = tape.GradOf(Factors, out bool there);
            if (df is not null && !there)
                VectorKernel.Fill(0, df.F, df.Shape.Elements);
            Tensor? dx = tape.GradOf(X, out there);
            VectorKernel.ScaleColumnsBackward(dy.F, dy.Ld, X.F, X.Ld, Factors.F, dx is null ? null : dx.F, dx?.Ld ?? 0, there, df is null ? null : df.F,
                X.Rows, X.Columns);
        }

        protected internal override void Clear() => (X, Factors) = (null!, null!);
    }
}
