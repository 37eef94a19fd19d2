namespace Lorikeet.Kernels.Reference;

/// <summary>Cross entropy by plain loops in double.</summary>
internal static unsafe class CrossEntropyReference
{
    /// <summary>See <see cref="CrossEntropyKernel.ForwardBackward"/>.</summary>
    public static void ForwardBackward(float* logits, long ld, int* targets, int rows, int vocab, float* nll, float gradScale, float labelSmoothing)
    {
        for (int r = 0; r < rows; r++)
        {
            float* row = logits + r * ld;
            int target = targets[r];
            if (target < 0)
            {
                nll[r] = 0;
                for (int i = 0; gradScale != 0 && i < vocab; i++)
                    row[i] = 0;
                continue;
            }
            double lse = SoftmaxReference.LogSumExp(row, vocab), sum = 0;
            for (int i = 0; i < vocab; i++)
                sum += row[i];
            double loss = (1 - (double)labelSmoothing) * (lse - row[target]);
            nll[r] = (float)(labelSmoothing == 0 ? loss : loss + labelSmoothing * (lse - sum / vocab));
            for (int i = 0; gradScale != 0 && i < vocab; i++)
            {
                double wanted = (i == target ? 1 - (double)labelSmoothing : 0) + (double)labelSmoothing / vocab;
                row[i] = (float)(gradScale * (Math.Exp(row[i] - lse) - wanted));
            }
        }
    }
}
