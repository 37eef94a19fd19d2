namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="CrossEntropyKernel"/>.</summary>
internal unsafe struct CrossEntropyJob : IVectorJob<CrossEntropyJob>
{
    public float* Logits, Nll;
    public long Ld;
    public int* Targets;
    public int Rows, Vocab, PartRows;
    public float GradScale, LabelSmoothing;

    /// <inheritdoc/>
    public static void Part<S, V, D>(CrossEntropyJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* row = job->Logits + r * job->Ld;
            job->Nll[r] = job->Targets[r] < 0 ? 0 : Row<S, V, D>(job, row, job->Targets[r]);
            if (job->Targets[r] < 0 && job->GradScale != 0)
                new Span<float>(row, job->Vocab).Clear();
        }
    }

    private static float Row<S, V, D>(CrossEntropyJob* job, float* row, int target)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int vocab = job->Vocab;
        double smoothing = job->LabelSmoothing, atTarget = row[target];
        double mean = smoothing == 0 ? 0 : RowSum.Wide<PlainTerm, S, V, D>(row, row, vocab) / vocab;
        float max = RowSum.Largest<S, V, D>(row, vocab);
        double sum = RowExp.Sum<S, V, D>(row, max, job->GradScale == 0 ? null : row, vocab);
        double logSumExp = max + Math.Log(sum);
        if (job->GradScale != 0)
        {
            RowExp.Scale<S, V, D>(row, (float)(job->GradScale / sum), (float)(-job->GradScale * smoothing / vocab), vocab);
            row[target] -= (float)(job->GradScale * (1 - smoothing));
        }
        double loss = logSumExp - atTarget;
        return (float)(smoothing == 0 ? loss : (1 - smoothing) * loss + smoothing * (logSumExp - mean));
    }
}
