using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>The loss of labels that each hold or not, whatever the others do.</summary>
public static unsafe class BinaryCrossEntropyOp
{
    /// <summary><c>-scale · Σ t log σ(x) + (1 - t) log(1 - σ(x))</c>, from logits, so that large ones lose nothing.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="logits">x.</param>
    /// <param name="targets">t: as many numbers, f32, usually 0 or 1; they get no derivative.</param>
    /// <param name="scale">Usually 1 / number of elements.</param>
    /// <returns>One number.</returns>
    public static Tensor BinaryCrossEntropy(this Tape tape, Tensor logits, Tensor targets, float scale)
    {
        Check.F32("binary cross entropy", logits);
        Check.Contiguous("binary cross entropy", logits);
        Check.Vector("binary cross entropy", targets, logits.Shape.Elements);
        Tensor loss = Tape.Keep(tape.New(new Shape(1)));
        bool record = tape.Recording && logits.RequiresGrad;
        Tensor? gradient = record ? tape.NewGradient(logits.Shape) : null;
        double sum = 0;
        for (long i = 0; i < logits.Shape.Elements; i++)
        {
            double x = logits.F[i], t = targets.F[i], small = Math.Exp(-Math.Abs(x));
            sum += Math.Max(x, 0) - x * t + LogOnePlus(small);
            if (gradient is not null)
                gradient.F[i] = (float)(scale * ((x >= 0 ? 1 : small) / (1 + small) - t));
        }
        loss.F[0] = (float)(sum * scale);
        if (gradient is null)
            return loss;
        BinaryCrossEntropyNode node = tape.Rent<BinaryCrossEntropyNode>();
        (node.Logits, node.DLogits) = (logits, gradient);
        return tape.Record(node, loss);
    }

    // 1 + u forgets a tiny u; dividing by what it remembers makes up for that (Kahan)
    private static double LogOnePlus(double u)
    {
        double sum = 1 + u;
        return sum == 1 ? u : Math.Log(sum) * u / (sum - 1);
    }

    private sealed class BinaryCrossEntropyNode : Node
    {
        public Tensor Logits = null!, DLogits = null!;

        protected internal override void Backward(Tape tape)
        {
            VectorKernel.Scale(Output.Grad!.F[0], DLogits.F, DLogits.F, DLogits.Shape.Elements);
            tape.PassOn(DLogits, Logits);
        }

        protected internal override void Clear() => (Logits, DLogits) = (null!, null!);
    }
}
