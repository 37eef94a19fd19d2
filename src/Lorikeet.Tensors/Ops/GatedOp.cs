using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Gated linear units (Shazeer 2020, arXiv:2002.05202).</summary>
public static unsafe class GatedOp
{
    /// <summary><c>y = f(gate) · up</c>: SwiGLU where f is SiLU. Both factors may be columns of one wider tensor.</summary>
    public static Tensor Gated(this Tape tape, Activation activation, Tensor gate, Tensor up)
    {
        Check.SameShape("gated unit", gate, up);
        Tensor y = tape.New(new Shape(gate.Rows, gate.Columns));
        ActivationKernel.GatedForward(activation, gate.F, gate.Ld, up.F, up.Ld, y.F, y.Ld, gate.Rows, gate.Columns);
        if (!tape.Recording || !(gate.RequiresGrad || up.RequiresGrad))
            return y;
        GatedNode node = tape.Rent<GatedNode>();
        (node.Gate, node.Up, node.Activation) = (gate, up, activation);
        return tape.Record(node, y);
    }

    private sealed class GatedNode : Node
    {
        public Tensor Gate = null!, Up = null!;
        public Activation Activation;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            Tensor? dGate = tape.GradOf(Gate, out bool gateThere);
            Tensor? dUp = tape.GradOf(Up, out bool upThere);
            // the kernel writes both or adds to both
            if (dGate is not null && dUp is not null && gateThere != upThere)
            {
                Tensor fresh = gateThere ? dUp : dGate;
                for (int row = 0; row < fresh.Rows; row++)
                    VectorKernel.Fill(0, fresh.F + row * fresh.Ld, fresh.Columns);
                gateThere = true;
            }
            ActivationKernel.GatedBackward(Activation, dy.F, dy.Ld, Gate.F, Gate.Ld, Up.F, Up.Ld, dGate is null ? null : dGate.F, dGate?.Ld ?? 0,
                dUp is null ? null : dUp.F, dUp?.Ld ?? 0, dGate is null ? upThere : gateThere, Gate.Rows, Gate.Columns);
        }

        protected internal override void Clear() => (Gate, Up) = (null!, null!);
    }
}
