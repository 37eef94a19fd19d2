using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Cross entropy of softmax with class targets, loss and derivative in one call.</summary>
public static unsafe class CrossEntropyKernel
{
    /// <summary>
    /// <c>nll = (1 - e) * (lse - logit[target]) + e * (lse - mean(logits))</c> with e the label smoothing, and where
    /// <paramref name="gradScale"/> is not 0 the logits become <c>gradScale * (softmax - wanted)</c>,
    /// <c>wanted = (1 - e) * onehot(target) + e / vocab</c>.
    /// </summary>
    /// <param name="logits"><c>[rows, vocab]</c>; overwritten by their derivative when gradScale is not 0.</param>
    /// <param name="ld">Elements between rows of the logits.</param>
    /// <param name="targets"><c>[rows]</c>; a row with a negative target is not counted: loss 0, derivative 0.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="vocab">Classes.</param>
    /// <param name="nll"><c>[rows]</c>: the loss of each row.</param>
    /// <param name="gradScale">Factor of the derivative, such as 1 / counted rows; 0 leaves the logits as they are.</param>
    /// <param name="labelSmoothing">0 for none.</param>
    public static void ForwardBackward(float* logits, long ld, int* targets, int rows, int vocab, float* nll, float gradScale, float labelSmoothing)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            CrossEntropyReference.ForwardBackward(logits, ld, targets, rows, vocab, nll, gradScale, labelSmoothing);
            return;
        }
        int partRows = VectorJob.PartRows(rows, vocab, VectorJob.Grain / 4);
        CrossEntropyJob job = new()
        {
            Logits = logits, Ld = ld, Targets = targets, Rows = rows, Vocab = vocab, Nll = nll,
            GradScale = gradScale, LabelSmoothing = labelSmoothing, PartRows = partRows,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }
}
