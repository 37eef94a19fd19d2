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
        => RmsNormReference.Forward(x, ldx, weight, weightOffset, y, ldy, inverseRms, rows, dim, epsilon);

    /// <summary>
    /// Derivative of <see cref="Forward"/>. <paramref name="dx"/> may be null (only the weight learns) or lie where
    /// <paramref name="dy"/> does; <paramref name="dWeight"/> is added to, or null when the weight is frozen.
    /// </summary>
    public static void Backward(float* dy, long lddy, float* x, long ldx, float* weight, float weightOffset, float* inverseRms,
        float* dx, long lddx, bool accumulate, float* dWeight, int rows, int dim)
        => RmsNormReference.Backward(dy, lddy, x, ldx, weight, weightOffset, inverseRms, dx, lddx, accumulate, dWeight, rows, dim);
}
