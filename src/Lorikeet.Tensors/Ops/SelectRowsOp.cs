using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Rows of one or two tensors in a new order.</summary>
public static unsafe class SelectRowsOp
{
    /// <summary><c>y[i] = x[source[i]]</c>.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, dim]</c>.</param>
    /// <param name="source"><c>[n]</c> i32.</param>
    public static Tensor SelectRows(this Tape tape, Tensor x, Tensor source) => tape.SelectRows(x, x, source);

    /// <summary><c>y[i] = x[source[i]]</c>, or row <c>-1 - source[i]</c> of <paramref name="other"/> where the source is negative.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, dim]</c>.</param>
    /// <param name="other"><c>[others, dim]</c>: a prefix, learned tokens.</param>
    /// <param name="source"><c>[n]</c> i32.</param>
    public static Tensor SelectRows(this Tape tape, Tensor x, Tensor other, Tensor source)
    {
        Check.F32("row selection", x);
        Check.F32("row selection", other);
        Check.Columns("row selection", other, x.Columns);
        Check.Indices("row selection", source, source.Shape.Elements);
        int rows = checked((int)source.Shape.Elements);
        Tensor y = tape.New(new Shape(rows, x.Columns));
        for (int i = 0; i < rows; i++)
        {
            int from = source.I[i];
            if (from >= x.Rows || ~from >= other.Rows)
                throw new ArgumentException($"row selection: row {from} of {x} and {other}");
            VectorKernel.Copy(from >= 0 ? x.F + from * x.Ld : other.F + ~from * other.Ld, y.F + i * y.Ld, x.Columns);
        }
        if (!tape.Recording || !(x.RequiresGrad || other.RequiresGrad))
            return y;
        SelectRowsNode node = tape.Rent<SelectRowsNode>();
        (node.X, node.Other, node.Source) = (x, other, Tape.Save(source));
        return tape.Record(node, y);
    }

    private sealed class SelectRowsNode : Node
    {
        public Tensor X = null!, Other = null!, Source = null!;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            Tensor? dx = Zeroed(tape, X);
            Tensor? dOther = Zeroed(tape, Other);
            for (int i = 0; i < dy.Rows; i++)
            {
                int from = Source.I[i];
                Tensor? to = from >= 0 ? dx : dOther;
                if (to is not null)
                    VectorKernel.AddTo(dy.F + i * dy.Ld, to.F + (from >= 0 ? from : ~from) * to.Ld, dy.Columns);
            }
        }

        protected internal override void Clear() => (X, Other, Source) = (null!, null!, null!);

        private static Tensor? Zeroed(Tape tape, Tensor x)
        {
            Tensor? dx = tape.GradOf(x, out bool there);
            if (dx is not null && !there)
                VectorKernel.Fill(0, dx.F, dx.Shape.Elements);
            return dx;
        }
    }
}
