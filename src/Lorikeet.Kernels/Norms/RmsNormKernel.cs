using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Root-mean-square norm over the last dimension. Zhang and Sennrich 2019.</summary>
public static unsafe class RmsNormKernel
{
    /// <summary>
    /// <c>y = x / sqrt(mean(x^2) + epsilon) * (weight + weightOffset)</c> for each row of <c>[rows, dim]</c>.
    /// </summary>
    /// <param name="x">Input.</param>
    /// <param name="ldx">Elements between rows of x.</param>
    /// <param name="weight"><c>[dim]</c>, or null for all ones (the offset is then not used).</param>
    /// <param name="weightOffset">0, or 1 where the checkpoint stores weights around zero (Gemma).</param>
    /// <param name="y">Output; may be x.</param>
    /// <param name="ldy">Elements between rows of y.</param>
    /// <param name="inverseRms"><c>[rows]</c>: kept for the derivative; may be null.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="dim">Elements of a row.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public static void Forward(float* x, long ldx, float* weight, float weightOffset, float* y, long ldy, float* inverseRms,
        int rows, int dim, float epsilon)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RmsNormReference.Forward(x, ldx, weight, weightOffset, y, ldy, inverseRms, rows, dim, epsilon);
            return;
        }
        if (rows <= 0)
            return;
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        RmsNormForwardJob job = new()
        {
            X = x, Ldx = ldx, Weight = weight, WeightOffset = weightOffset, Y = y, Ldy = ldy, InverseRms = inverseRms,
            Rows = rows, Dim = dim, Epsilon = epsilon, PartRows = partRows,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }

    /// <summary>
    /// Derivative of <see cref="Forward"/>. <paramref name="dx"/> may be null (only the weight learns) or lie where
    /// <paramref name="dy"/> does; <paramref name="dWeight"/> is added to, or null when the weight is frozen.
    /// </summary>
    public static void Backward(float* dy, long lddy, float* x, long ldx, float* weight, float weightOffset, float* inverseRms,
        float* dx, long lddx, bool accumulate, float* dWeight, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RmsNormReference.Backward(dy, lddy, x, ldx, weight, weightOffset, inverseRms, dx, lddx, accumulate, dWeight, rows, dim);
            return;
        }
        if (rows <= 0)
            return;
        if (dWeight != null)
            ColumnSumJob<ColumnScaledProduct>.Run(dy, lddy, x, ldx, inverseRms, null, rows, dim, dWeight);
        if (dx == null)
            return;
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        RmsNormBackwardJob job = new()
        {
            Dy = dy, Lddy = lddy, X = x, Ldx = ldx, Weight = weight, WeightOffset = weightOffset, InverseRms = inverseRms, Dx = dx, Lddx = lddx,
            Accumulate = accumulate, Rows = rows, Dim = dim, PartRows = partRows,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }
}
