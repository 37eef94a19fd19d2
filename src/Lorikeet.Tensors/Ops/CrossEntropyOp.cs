using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Cross entropy of logits that are there already.</summary>
public static unsafe class CrossEntropyOp
{
    /// <summary><c>scale · Σ -log softmax(logits)[target]</c> over the rows that have a target.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="logits"><c>[rows, classes]</c>.</param>
    /// <param name="targets"><c>[rows]</c> i32; negative where there is none.</param>
    /// <param name="scale">Usually 1 / number of targets.</param>
    /// <param name="labelSmoothing">Share of the target's probability that is spread over all classes.</param>
    /// <param name="tokenLosses">Receives -log p of each target row in order, where not null.</param>
    /// <returns>One number.</returns>
    public static Tensor CrossEntropy(this Tape tape, Tensor logits, Tensor targets, float scale, float labelSmoothing = 0, Tensor? tokenLosses = null)
    {
        Check.Contiguous("cross entropy", logits);
        Check.F32("cross entropy", logits);
        Check.Indices("cross entropy", targets, logits.Rows);
        Targets.Check(targets, logits.Columns, tokenLosses);
        bool record = tape.Recording && logits.RequiresGrad;
        Tensor loss = Tape.Keep(tape.New(new Shape(1)));
        Tensor nll = tape.New(new Shape(logits.Rows));
        Tensor work = logits;
        if (record)
        {
            work = tape.NewGradient(logits.Shape);
            VectorKernel.Copy(logits.F, work.F, logits.Shape.Elements);
        }
        CrossEntropyKernel.ForwardBackward(work.F, work.Ld, targets.I, logits.Rows, logits.Columns, nll.F, record ? scale : 0, labelSmoothing);
        // the kernel takes 0 for no derivative, not for one of zeros
        if (record && scale == 0)
            VectorKernel.Fill(0, work.F, work.Shape.Elements);
        double sum = 0;
        int count = 0;
        for (int i = 0; i < logits.Rows; i++)
        {
            if (targets.I[i] < 0)
                continue;
            sum += nll.F[i];
            if (tokenLosses is not null)
                tokenLosses.F[count] = nll.F[i];
            count++;
        }
        tape.Free(nll);
        loss.F[0] = (float)(sum * scale);
        if (!record)
            return loss;
        CrossEntropyNode node = tape.Rent<CrossEntropyNode>();
        (node.Logits, node.DLogits) = (logits, work);
        return tape.Record(node, loss);
    }

    private sealed class CrossEntropyNode : Node
    {
        public Tensor Logits = null!, DLogits = null!;

        protected internal override void Backward(Tape tape)
        {
            float factor = Output.Grad!.F[0];
            if (factor != 1)
                VectorKernel.Scale(factor, DLogits.F, DLogits.F, DLogits.Shape.Elements);
            tape.PassOn(DLogits, Logits);
        }

        protected internal override void Clear() => (Logits, DLogits) = (null!, null!);
    }
}
