using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Gated linear units (Shazeer 2020, arXiv:2002.05202).</summary>
public static unsafe class GatedOp
{
    /// <summary><c>y = f(gate) · up</c>: SwiGLU where f is SiLU. Both factors may be columns of one wider tensor.</summary>
    public static Tensor Gated(this Tape tape, Activation activation, Tensor gate, Tensor up)
    {
        Check.SameShape("gated unit", gate, up);
        Check.F32("gated unit", gate);
        Check.F32("gated unit", up);
        Tensor y = tape.New(new Shape(gate.Rows, gate.Columns));
        ActivationKernel.GatedForward(activation, gate.F, gate.Ld, up.F, up.Ld, y.F, y.Ld, gate.Rows, gate.Columns);
        if (!tape.Recording || !(gate.RequiresGrad || up.RequiresGrad))
            return y;
        GatedNode node = tape.Rent<GatedNode>();
        (node.Gate, node.Up, node.Activation) = (Tape.Save(gate), Tape.Save(up), activation);
        return tape.Record(node, y);
    }

    private sealed class GatedNode : Node
    {
        public Tensor Gate = null!, Up = null!;
        public Activation Activation;

        protected internal override bool CanRemake => true;

        protected internal override void Backward(Tape tape)
        {
            // the derivatives take memory that is read for the last time here: that of up the place of dy, that of the gate the place of the output
            Tensor dy = Output.Grad!, toGate = tape.GradientInPlaceOf(Output);
            ActivationKernel.GatedBackward(Activation, dy.F, dy.Ld, Gate.F, Gate.Ld, Up.F, Up.Ld, toGate.F, toGate.Ld, dy.F, dy.Ld, Gate.Rows, Gate.Columns);
            tape.PassOn(toGate, Gate);
            tape.PassGrad(Output, Up);
        }

        protected internal override void Remake() =>
            ActivationKernel.GatedForward(Activation, Gate.F, Gate.Ld, Up.F, Up.Ld, Output.F, Output.Ld, Gate.Rows, Gate.Columns);

        protected internal override void Clear() => (Gate, Up) = (null!, null!);
    }
}
