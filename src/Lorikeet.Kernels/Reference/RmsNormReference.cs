namespace Lorikeet.Kernels.Reference;

/// <summary>Root-mean-square norm by plain loops, sums in double.</summary>
internal static unsafe class RmsNormReference
{
    /// <summary>See <see cref="RmsNormKernel.Forward"/>.</summary>
    public static void Forward(float* x, long ldx, float* weight, float weightOffset, float* y, long ldy, float* inverseRms,
        int rows, int dim, float epsilon)
    {
        for (int r = 0; r < rows; r++)
        {
            double sum = 0;
            for (int i = 0; i < dim; i++)
                sum += (double)x[r * ldx + i] * x[r * ldx + i];
            double inverse = 1 / Math.Sqrt(sum / dim + epsilon);
            if (inverseRms != null)
                inverseRms[r] = (float)inverse;
            for (int i = 0; i < dim; i++)
                y[r * ldy + i] = (float)(x[r * ldx + i] * inverse * (weight == null ? 1 : (double)weight[i] + weightOffset));
        }
    }

    /// <summary>See <see cref="RmsNormKernel.Backward"/>.</summary>
    public static void Backward(float* dy, long lddy, float* x, long ldx, float* weight, float weightOffset, float* inverseRms,
        float* dx, long lddx, bool accumulate, float* dWeight, int rows, int dim)
    {
        for (int i = 0; dWeight != null && i < dim; i++)
        {
            double sum = 0;
            for (int r = 0; r < rows; r++)
                sum += (double)dy[r * lddy + i] * x[r * ldx + i] * inverseRms[r];
            dWeight[i] += (float)sum;
        }
        for (int r = 0; dx != null && r < rows; r++)
        {
            double inverse = inverseRms[r], dot = 0;
            for (int i = 0; i < dim; i++)
                dot += dy[r * lddy + i] * (weight == null ? 1 : (double)weight[i] + weightOffset) * x[r * ldx + i];
            dot *= inverse * inverse / dim;
            for (int i = 0; i < dim; i++)
            {
                double direct = dy[r * lddy + i] * (weight == null ? 1 : (double)weight[i] + weightOffset);
                float* to = dx + r * lddx + i;
                *to = (accumulate ? *to : 0) + (float)(inverse * (direct - dot * x[r * ldx + i]));
            }
        }
    }
}
