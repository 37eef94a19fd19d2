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
        // the kernel of the derivative writes to both at once
        if (up == gate)
            up = tape.Scale(up, 1);
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
            Tensor dy = Output.Grad!;
            Tensor? dGate = tape.GradOf(Gate, out bool gateThere);
            Tensor? dUp = tape.GradOf(Up, out bool upThere);
            // the kernel writes both or adds to both: what is not wanted goes nowhere, what is fresh becomes zero where the other one is not
            Tensor toGate = dGate ?? tape.New(Gate.Shape), toUp = dUp ?? tape.New(Up.Shape);
            if (upThere && !gateThere)
                VectorKernel.Fill(0, toGate.F, toGate.Shape.Elements);
            if (gateThere && !upThere)
                VectorKernel.Fill(0, toUp.F, toUp.Shape.Elements);
            ActivationKernel.GatedBackward(Activation, dy.F, dy.Ld, Gate.F, Gate.Ld, Up.F, Up.Ld, toGate.F, toGate.Ld, toUp.F, toUp.Ld,
                gateThere || upThere, Gate.Rows, Gate.Columns);
            if (dGate is null)
                tape.Free(toGate);
            if (dUp is null)
                tape.Free(toUp);
        }

        protected internal override void Remake() =>
            ActivationKernel.GatedForward(Activation, Gate.F, Gate.Ld, Up.F, Up.Ld, Output.F, Output.Ld, Gate.Rows, Gate.Columns);

        protected internal override void Clear() => (Gate, Up) = (null!, null!);
    }
}
