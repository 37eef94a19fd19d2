using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Nonlinearities, element by element.</summary>
public static unsafe class ActivationOp
{
    /// <summary><c>y = f(x)</c>.</summary>
    public static Tensor Activate(this Tape tape, Activation activation, Tensor x)
    {
        Check.F32("activation", x);
        Check.Contiguous("activation", x);
        Tensor y = tape.New(x.Shape);
        ActivationKernel.Forward(activation, x.F, y.F, x.Shape.Elements);
        if (!tape.Recording || !x.RequiresGrad)
            return y;
        ActivationNode node = tape.Rent<ActivationNode>();
        (node.X, node.Activation) = (Tape.Save(x), activation);
        return tape.Record(node, y);
    }

    private sealed class ActivationNode : Node
    {
        public Tensor X = null!;
        public Activation Activation;

        protected internal override bool CanRemake => true;

        protected internal override void Backward(Tape tape)
        {
            Tensor dx = tape.GradOf(X, out bool there)!;
            ActivationKernel.Backward(Activation, Output.Grad!.F, X.F, dx.F, there, X.Shape.Elements);
        }

        protected internal override void Remake() => ActivationKernel.Forward(Activation, X.F, Output.F, X.Shape.Elements);

        protected internal override void Clear() => X = null!;
    }
}
