namespace Lorikeet.Kernels.Reference;

/// <summary>Softmax over rows by plain loops in double.</summary>
internal static unsafe class SoftmaxReference
{
    /// <summary>See <see cref="SoftmaxKernel.Forward"/>.</summary>
    public static void Forward(float* x, long ldx, float* y, long ldy, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
        {
            double lse = LogSumExp(x + r * ldx, dim);
            for (int i = 0; i < dim; i++)
                y[r * ldy + i] = lse == double.NegativeInfinity ? 0 : (float)Math.Exp(x[r * ldx + i] - lse);
        }
    }

    /// <summary>See <see cref="SoftmaxKernel.Backward"/>.</summary>
    public static void Backward(float* dy, long lddy, float* y, long ldy, float* dx, long lddx, bool accumulate, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
        {
            double dot = 0;
            for (int i = 0; i < dim; i++)
                dot += (double)dy[r * lddy + i] * y[r * ldy + i];
            for (int i = 0; i < dim; i++)
            {
                float* to = dx + r * lddx + i;
                *to = (accumulate ? *to : 0) + (float)(y[r * ldy + i] * (dy[r * lddy + i] - dot));
            }
        }
    }

    /// <summary>See <see cref="SoftmaxKernel.LogSumExp"/>.</summary>
    public static void LogSumExp(float* x, long ldx, float* result, int rows, int dim)
    {
        for (int r = 0; r < rows; r++)
            result[r] = (float)LogSumExp(x + r * ldx, dim);
    }

    /// <summary>Of one row, in double.</summary>
    public static double LogSumExp(float* x, int dim)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int i = 0; i < dim; i++)
            max = Math.Max(max, x[i]);
        if (double.IsInfinity(max))
            return max;
        for (int i = 0; i < dim; i++)
            sum += Math.Exp(x[i] - max);
        return max + Math.Log(sum);
    }
}
