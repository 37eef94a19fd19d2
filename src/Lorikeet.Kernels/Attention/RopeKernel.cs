using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Rotary position embedding. Su et al. 2021.</summary>
public static unsafe class RopeKernel
{
    /// <summary>
    /// Fills <paramref name="cos"/> and <paramref name="sin"/>, both <c>[rows, halfDim]</c>. The angle is the single-precision product
    /// <c>position * inverseFrequency</c>, as Hugging Face computes it; both tables are multiplied by <paramref name="attentionFactor"/>
    /// (1 unless the scaling, such as yarn or longrope, says otherwise).
    /// </summary>
    public static void Tables(int* positions, int rows, float* inverseFrequencies, int halfDim, float attentionFactor, float* cos, float* sin)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RopeReference.Tables(positions, rows, inverseFrequencies, halfDim, attentionFactor, cos, sin);
            return;
        }
        if (rows <= 0)
            return;
        int partRows = VectorJob.PartRows(rows, halfDim, VectorJob.Grain / 16);
        RopeTablesJob job = new()
        {
            Positions = positions, InverseFrequencies = inverseFrequencies, AttentionFactor = attentionFactor, Cos = cos, Sin = sin,
            Rows = rows, HalfDim = halfDim, PartRows = partRows,
        };
        ComputePool.Run(&RopeTablesJob.Part, &job, (rows + partRows - 1) / partRows);
    }

    /// <summary>
    /// Rotates <c>[rows, heads, headDim]</c> in place by the angles of each row. Only the first <c>2 * halfDim</c> dimensions of a head turn.
    /// </summary>
    /// <param name="x">The heads.</param>
    /// <param name="ldx">Elements between rows.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="heads">Heads of a row, one after another.</param>
    /// <param name="headDim">Dimensions of a head.</param>
    /// <param name="cos"><c>[rows, halfDim]</c>.</param>
    /// <param name="sin"><c>[rows, halfDim]</c>.</param>
    /// <param name="halfDim">Pairs that turn.</param>
    /// <param name="interleaved">Pairs are (2i, 2i+1) (GPT-J); otherwise (i, i + halfDim) (Llama).</param>
    /// <param name="inverse">Turns back: the derivative.</param>
    public static void Apply(float* x, long ldx, int rows, int heads, int headDim, float* cos, float* sin, int halfDim,
        bool interleaved, bool inverse)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RopeReference.Apply(x, ldx, rows, heads, headDim, cos, sin, halfDim, interleaved, inverse);
            return;
        }
        if (rows <= 0)
            return;
        int partRows = VectorJob.PartRows(rows, 2L * heads * halfDim, VectorJob.Grain);
        RopeJob job = new()
        {
            X = x, Ldx = ldx, Cos = cos, Sin = sin, Rows = rows, Heads = heads, HeadDim = headDim, HalfDim = halfDim, PartRows = partRows,
            Interleaved = interleaved, Direction = inverse ? -1 : 1,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }
}
