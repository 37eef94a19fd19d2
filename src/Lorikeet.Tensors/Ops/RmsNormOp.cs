using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Root mean square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467).</summary>
public static unsafe class RmsNormOp
{
    /// <summary><c>y = x / sqrt(mean(x²) + epsilon) · (offset + weight)</c>, row by row.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, dim]</c>.</param>
    /// <param name="weight"><c>[dim]</c>, or null for ones.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="offset">1 where the checkpoint stores weights as differences from one (Gemma), else 0.</param>
    public static Tensor RmsNorm(this Tape tape, Tensor x, Tensor? weight, float epsilon, float offset = 0)
    {
        Check.F32("rms norm", x);
        if (weight is not null)
            Check.Vector("rms norm", weight, x.Columns);
        Tensor y = tape.New(x.Shape);
        bool record = tape.Recording && (x.RequiresGrad || weight is { RequiresGrad: true });
        Tensor? inverse = record ? tape.New(new Shape(x.Rows)) : null;
        RmsNormKernel.Forward(x.F, x.Ld, weight is null ? null : weight.F, offset, y.F, y.Ld, inverse is null ? null : inverse.F, x.Rows, x.Columns, epsilon);
        if (!record)
            return y;
        RmsNormNode node = tape.Rent<RmsNormNode>();
        (node.X, node.Weight, node.Inverse, node.Offset, node.Epsilon) = (Tape.Save(x), weight, Tape.Save(inverse!, exact: true), offset, epsilon);
        if (weight is not null)
            Tape.Save(weight, exact: true);
        return tape.Record(node, y);
    }

    private sealed class RmsNormNode : Node
    {
        public Tensor X = null!, Inverse = null!;
        public Tensor? Weight;
        public float Offset, Epsilon;

        protected internal override bool CanRemake => true;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            Tensor? dw = tape.GradOf(Weight, out bool there);
            if (dw is not null && !there)
                VectorKernel.Fill(0, dw.F, dw.Shape.Elements);
            Tensor? dx = tape.GradOf(X, out there);
            RmsNormKernel.Backward(dy.F, dy.Ld, X.F, X.Ld, Weight is null ? null : Weight.F, Offset, Inverse.F,
                dx is null ? null : dx.F, dx?.Ld ?? 0, there, dw is null ? null : dw.F, X.Rows, X.Columns);
            tape.Free(Inverse);
        }

        protected internal override void Remake() => RmsNormKernel.Forward(
            X.F, X.Ld, Weight is null ? null : Weight.F, Offset, Output.F, Output.Ld, null, X.Rows, X.Columns, Epsilon);

        protected internal override void Clear() => (X, Inverse, Weight) = (null!, null!, null);
    }
}
