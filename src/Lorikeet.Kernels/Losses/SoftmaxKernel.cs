using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Softmax and log-sum-exp over the last dimension, the greatest element subtracted first.</summary>
public static unsafe class SoftmaxKernel
{
    /// <summary><c>y = exp(x) / sum(exp(x))</c> for each row of <c>[rows, dim]</c>; y may be x. A row of minus infinities gives zeros.</summary>
    public static void Forward(float* x, long ldx, float* y, long ldy, int rows, int dim)
        => SoftmaxReference.Forward(x, ldx, y, ldy, rows, dim);

    /// <summary><c>dx (+)= y * (dy - sum(dy * y))</c>; dx may be dy.</summary>
    public static void Backward(float* dy, long lddy, float* y, long ldy, float* dx, long lddx, bool accumulate, int rows, int dim)
        => SoftmaxReference.Backward(dy, lddy, y, ldy, dx, lddx, accumulate, rows, dim);

    /// <summary><c>result[r] = log(sum(exp(x[r])))</c>.</summary>
    public static void LogSumExp(float* x, long ldx, float* result, int rows, int dim)
        => SoftmaxReference.LogSumExp(x, ldx, result, rows, dim);
}
