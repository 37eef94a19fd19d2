using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Layer norm over the last dimension. Ba, Kiros and Hinton 2016.</summary>
public static unsafe class LayerNormKernel
{
    /// <summary>
    /// <c>y = (x - mean) / sqrt(variance + epsilon) * (weight + weightOffset) + bias</c> for each row of <c>[rows, dim]</c>.
    /// </summary>
    /// <param name="x">Input.</param>
    /// <param name="ldx">Elements between rows of x.</param>
    /// <param name="weight"><c>[dim]</c>, or null for all ones (the offset is then not used).</param>
    /// <param name="weightOffset">0, or 1 where the checkpoint stores weights around zero.</param>
    /// <param name="bias"><c>[dim]</c>, or null.</param>
    /// <param name="y">Output; may be x.</param>
    /// <param name="ldy">Elements between rows of y.</param>
    /// <param name="mean"><c>[rows]</c>: kept for the derivative; may be null.</param>
    /// <param name="inverseDeviation"><c>[rows]</c>: kept for the derivative; may be null.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="dim">Elements of a row.</param>
    /// <param name="epsilon">Added to the variance (the biased one, divided by dim).</param>
    public static void Forward(float* x, long ldx, float* weight, float weightOffset, float* bias, float* y, long ldy,
        float* mean, float* inverseDeviation, int rows, int dim, float epsilon)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            LayerNormReference.Forward(x, ldx, weight, weightOffset, bias, y, ldy, mean, inverseDeviation, rows, dim, epsilon);
            return;
        }
        if (rows <= 0)
            return;
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        LayerNormForwardJob job = new()
        {
            X = x, Ldx = ldx, Weight = weight, WeightOffset = weightOffset, Bias = bias, Y = y, Ldy = ldy,
            Mean = mean, InverseDeviation = inverseDeviation, Rows = rows, Dim = dim, Epsilon = epsilon, PartRows = partRows,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }

    /// <summary>
    /// Derivative of <see cref="Forward"/>. <paramref name="dx"/> may be null (only weight and bias learn) or lie where
    /// <paramref name="dy"/> does; <paramref name="dWeight"/> and <paramref name="dBias"/> are added to, or null when frozen.
    /// </summary>
    public static void Backward(float* dy, long lddy, float* x, long ldx, float* weight, float weightOffset,
        float* mean, float* inverseDeviation, float* dx, long lddx, bool accumulate, float* dWeight, float* dBias, int rows, int dim)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            LayerNormReference.Backward(dy, lddy, x, ldx, weight, weightOffset, mean, inverseDeviation, dx, lddx, accumulate, dWeight, dBias, rows, dim);
            return;
        }
        if (rows <= 0)
            return;
        if (dWeight != null)
            ColumnSumJob<ColumnNormed>.Run(dy, lddy, x, ldx, mean, inverseDeviation, rows, dim, dWeight);
        if (dBias != null)
            ColumnSumJob<ColumnPlain>.Run(dy, lddy, null, 0, null, null, rows, dim, dBias);
        if (dx == null)
            return;
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        LayerNormBackwardJob job = new()
        {
            Dy = dy, Lddy = lddy, X = x, Ldx = ldx, Weight = weight, WeightOffset = weightOffset,
            Mean = mean, InverseDeviation = inverseDeviation, Dx = dx, Lddx = lddx,
            Accumulate = accumulate, Rows = rows, Dim = dim, PartRows = partRows,
        };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }
}
