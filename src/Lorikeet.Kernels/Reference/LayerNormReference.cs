namespace Lorikeet.Kernels.Reference;

/// <summary>Layer norm by plain loops, sums in double.</summary>
internal static unsafe class LayerNormReference
{
    /// <summary>See <see cref="LayerNormKernel.Forward"/>.</summary>
    public static void Forward(float* x, long ldx, float* weight, float weightOffset, float* bias, float* y, long ldy,
        float* mean, float* inverseDeviation, int rows, int dim, float epsilon)
    {
        for (int r = 0; r < rows; r++)
        {
            double sum = 0, squares = 0;
            for (int i = 0; i < dim; i++)
                sum += x[r * ldx + i];
            double middle = sum / dim;
            for (int i = 0; i < dim; i++)
                squares += (x[r * ldx + i] - middle) * (x[r * ldx + i] - middle);
            double inverse = 1 / Math.Sqrt(squares / dim + epsilon);
            if (mean != null)
                mean[r] = (float)middle;
            if (inverseDeviation != null)
                inverseDeviation[r] = (float)inverse;
            for (int i = 0; i < dim; i++)
            {
                double scaled = (x[r * ldx + i] - middle) * inverse * (weight == null ? 1 : (double)weight[i] + weightOffset);
                y[r * ldy + i] = (float)(scaled + (bias == null ? 0 : bias[i]));
            }
        }
    }

    /// <summary>See <see cref="LayerNormKernel.Backward"/>.</summary>
    public static void Backward(float* dy, long lddy, float* x, long ldx, float* weight, float weightOffset,
        float* mean, float* inverseDeviation, float* dx, long lddx, bool accumulate, float* dWeight, float* dBias, int rows, int dim)
    {
        for (int i = 0; i < dim; i++)
        {
            double toWeight = 0, toBias = 0;
            for (int r = 0; r < rows; r++)
            {
                toWeight += dy[r * lddy + i] * ((double)x[r * ldx + i] - mean[r]) * inverseDeviation[r];
                toBias += dy[r * lddy + i];
            }
            if (dWeight != null)
                dWeight[i] += (float)toWeight;
            if (dBias != null)
                dBias[i] += (float)toBias;
        }
        for (int r = 0; dx != null && r < rows; r++)
        {
            double inverse = inverseDeviation[r], sum = 0, dot = 0;
            for (int i = 0; i < dim; i++)
            {
                double direct = dy[r * lddy + i] * (weight == null ? 1 : (double)weight[i] + weightOffset);
                sum += direct;
                dot += direct * ((double)x[r * ldx + i] - mean[r]) * inverse;
            }
            for (int i = 0; i < dim; i++)
            {
                double direct = dy[r * lddy + i] * (weight == null ? 1 : (double)weight[i] + weightOffset);
                double normed = ((double)x[r * ldx + i] - mean[r]) * inverse;
                float* to = dx + r * lddx + i;
                *to = (accumulate ? *to : 0) + (float)(inverse * (direct - sum / dim - normed * dot / dim));
            }
        }
    }
}
