using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Layer normalisation (Ba et al. 2016, arXiv:1607.06450).</summary>
public static unsafe class LayerNormOp
{
    /// <summary><c>y = (x - mean) / sqrt(variance + epsilon) · weight + bias</c>, row by row.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x"><c>[rows, dim]</c>.</param>
    /// <param name="weight"><c>[dim]</c>, or null for ones.</param>
    /// <param name="bias"><c>[dim]</c>, or null for zeros.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor LayerNorm(this Tape tape, Tensor x, Tensor? weight, Tensor? bias, float epsilon)
    {
        Check.F32("layer norm", x);
        if (weight is not null)
            Check.Vector("layer norm", weight, x.Columns);
        if (bias is not null)
            Check.Vector("layer norm", bias, x.Columns);
        Tensor y = tape.New(x.Shape);
        bool record = tape.Recording && (x.RequiresGrad || weight is { RequiresGrad: true } || bias is { RequiresGrad: true });
        Tensor? mean = record ? tape.New(new Shape(x.Rows)) : null;
        Tensor? inverse = record ? tape.New(new Shape(x.Rows)) : null;
        LayerNormKernel.Forward(x.F, x.Ld, weight is null ? null : weight.F, 0, bias is null ? null : bias.F, y.F, y.Ld,
            mean is null ? null : mean.F, inverse is null ? null : inverse.F, x.Rows, x.Columns, epsilon);
        if (!record)
            return y;
        LayerNormNode node = tape.Rent<LayerNormNode>();
        (node.X, node.Weight, node.Bias, node.Epsilon) = (Tape.Save(x), weight, bias, epsilon);
        (node.Mean, node.Inverse) = (Tape.Save(mean!, exact: true), Tape.Save(inverse!, exact: true));
        if (weight is not null)
            Tape.Save(weight, exact: true);
        if (bias is not null)
            Tape.Save(bias, exact: true);
        return tape.Record(node, y);
    }

    private sealed class LayerNormNode : Node
    {
        public Tensor X = null!, Mean = null!, Inverse = null!;
        public Tensor? Weight, Bias;
        public float Epsilon;

        protected internal override bool CanRemake => true;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            Tensor? dw = Accumulated(tape, Weight);
            Tensor? db = Accumulated(tape, Bias);
            Tensor? dx = tape.GradOf(X, out bool there);
            LayerNormKernel.Backward(dy.F, dy.Ld, X.F, X.Ld, Weight is null ? null : Weight.F, 0, Mean.F, Inverse.F, dx is null ? null : dx.F, dx?.Ld ?? 0,
                there, dw is null ? null : dw.F, db is null ? null : db.F, X.Rows, X.Columns);
            tape.Free(Mean);
            tape.Free(Inverse);
        }

        protected internal override void Remake() => LayerNormKernel.Forward(X.F, X.Ld, Weight is null ? null : Weight.F, 0, Bias is null ? null : Bias.F,
            Output.F, Output.Ld, null, null, X.Rows, X.Columns, Epsilon);

        protected internal override void Clear() => (X, Mean, Inverse, Weight, Bias) = (null!, null!, null!, null, null);

        private static Tensor? Accumulated(Tape tape, Tensor? parameter)
        {
            Tensor? grad = tape.GradOf(parameter, out bool there);
            if (grad is not null && !there)
                VectorKernel.Fill(0, grad.F, grad.Shape.Elements);
            return grad;
        }
    }
}
