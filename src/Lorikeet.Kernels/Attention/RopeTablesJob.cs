namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="RopeKernel.Tables"/>.</summary>
internal unsafe struct RopeTablesJob
{
    public int* Positions;
    public float* InverseFrequencies, Cos, Sin;
    public float AttentionFactor;
    public int Rows, HalfDim, PartRows;

    /// <summary>Does one part.</summary>
    public static void Part(void* context, int part)
    {
        RopeTablesJob* job = (RopeTablesJob*)context;
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            long row = (long)r * job->HalfDim;
            for (int i = 0; i < job->HalfDim; i++)
            {
                // angles reach many thousand turns: only the double functions reduce them exactly
                (double sin, double cos) = Math.SinCos(job->Positions[r] * job->InverseFrequencies[i]);
                job->Cos[row + i] = (float)cos * job->AttentionFactor;
                job->Sin[row + i] = (float)sin * job->AttentionFactor;
            }
        }
    }
}
