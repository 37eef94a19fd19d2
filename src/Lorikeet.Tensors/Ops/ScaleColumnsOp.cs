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
        if (factors.Shape.Elements != x.Columns)
            throw new ArgumentException($"column scaling: {factors} has {factors.Shape.Elements} factors, {x} has {x.Columns} columns");
        Tensor y = tape.New(x.Shape);
        VectorKernel.ScaleColumns(x.F, x.Ld, factors.F, y.F, y.Ld, x.Rows, x.Columns, accumulate: false);
        if (!tape.Recording || !(x.RequiresGrad || factors.RequiresGrad))
            return y;
        ScaleColumnsNode node = tape.Rent<ScaleColumnsNode>();
        (node.X, node.Factors) = (x, factors);
        return tape.Record(node, y);
    }

    private sealed class ScaleColumnsNode : Node
    {
        public Tensor X = null!, Factors = null!;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            if (tape.GradOf(Factors, out bool there) is { } df)
            {
                if (!there)
                    VectorKernel.Fill(df.F, df.Shape.Elements, 0);
                VectorKernel.ScaleColumnsBackward(dy.F, dy.Ld, X.F, X.Ld, df.F, X.Rows, X.Columns);
            }
            if (tape.GradOf(X, out there) is { } dx)
                VectorKernel.ScaleColumns(dy.F, dy.Ld, Factors.F, dx.F, dx.Ld, dy.Rows, dy.Columns, there);
        }

        protected internal override void Clear() => (X, Factors) = (null!, null!);
    }
}
