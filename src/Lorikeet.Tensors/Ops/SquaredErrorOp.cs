using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The loss of a regression.</summary>
public static unsafe class SquaredErrorOp
{
    /// <summary><c>scale · Σ (x - target)²</c>.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="x">What was predicted.</param>
    /// <param name="targets">As many numbers, f32; they get no derivative.</param>
    /// <param name="scale">Usually 1 / number of elements.</param>
    /// <returns>One number.</returns>
    public static Tensor SquaredError(this Tape tape, Tensor x, Tensor targets, float scale)
    {
        Check.F32("squared error", x);
        Check.Contiguous("squared error", x);
        Check.Vector("squared error", targets, x.Shape.Elements);
        Tensor loss = Tape.Keep(tape.New(new Shape(1)));
        bool record = tape.Recording && x.RequiresGrad;
        Tensor? dx = record ? tape.NewGradient(x.Shape) : null;
        double sum = 0;
        for (long i = 0; i < x.Shape.Elements; i++)
        {
            float difference = x.F[i] - targets.F[i];
            sum += (double)difference * difference;
            if (dx is not null)
                dx.F[i] = 2 * scale * difference;
        }
        loss.F[0] = (float)(sum * scale);
        if (dx is null)
            return loss;
        SquaredErrorNode node = tape.Rent<SquaredErrorNode>();
        (node.X, node.DX) = (x, dx);
        return tape.Record(node, loss);
    }

    private sealed class SquaredErrorNode : Node
    {
        public Tensor X = null!, DX = null!;

        protected internal override void Backward(Tape tape)
        {
            VectorKernel.Scale(Output.Grad!.F[0], DX.F, DX.F, DX.Shape.Elements);
            tape.PassOn(DX, X);
        }

        protected internal override void Clear() => (X, DX) = (null!, null!);
    }
}
