using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Dropout (Srivastava et al. 2014).</summary>
public static unsafe class DropoutOp
{
    /// <summary>
    /// Each element is zero with probability <paramref name="p"/>, else divided by 1 - p. The mask is a function of the tape's seed and counter: the
    /// derivative draws it again instead of keeping it.
    /// </summary>
    public static Tensor Dropout(this Tape tape, Tensor x, float p)
    {
        if (p <= 0)
            return x;
        Check.F32("dropout", x);
        Check.Contiguous("dropout", x);
        Tensor y = tape.New(x.Shape);
        ulong counter = tape.Draw(x.Shape.Elements);
        RandomKernel.DropoutForward(x.F, y.F, x.Shape.Elements, p, tape.Seed, counter);
        if (!tape.Recording || !x.RequiresGrad)
            return y;
        DropoutNode node = tape.Rent<DropoutNode>();
        (node.X, node.P, node.Counter) = (x, p, counter);
        return tape.Record(node, y);
    }

    private sealed class DropoutNode : Node
    {
        public Tensor X = null!;
        public float P;
        public ulong Counter;

        protected internal override void Backward(Tape tape)
        {
            Tensor dy = Output.Grad!;
            RandomKernel.DropoutForward(dy.F, dy.F, dy.Shape.Elements, P, tape.Seed, Counter);
            tape.PassGrad(Output, X);
        }

        protected internal override void Clear() => X = null!;
    }
}
