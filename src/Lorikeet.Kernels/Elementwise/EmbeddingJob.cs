namespace Lorikeet.Kernels;

/// <summary>Rows of <see cref="EmbeddingKernel.Gather"/>.</summary>
internal unsafe struct EmbeddingJob
{
    public void* Table;
    public DType Type;
    public long Ld, Ldy;
    public int* Ids;
    public float* Y;
    public int Rows, Dim, PartRows;

    /// <summary>Does one part.</summary>
    public static void Part(void* context, int part)
    {
        EmbeddingJob* job = (EmbeddingJob*)context;
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            float* y = job->Y + r * job->Ldy;
            if (job->Ids[r] < 0)
                new Span<float>(y, job->Dim).Clear();
            else if (job->Type == DType.F32)
                new Span<float>((float*)job->Table + job->Ids[r] * job->Ld, job->Dim).CopyTo(new Span<float>(y, job->Dim));
            else
                BlockFormats.Dequantize(job->Type, job->Table, job->Ids[r] * job->Ld, job->Dim, y);
        }
    }
}
