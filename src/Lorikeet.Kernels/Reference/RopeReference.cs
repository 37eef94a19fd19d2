namespace Lorikeet.Kernels.Reference;

/// <summary>Rotary positions by plain loops.</summary>
internal static unsafe class RopeReference
{
    /// <summary>See <see cref="RopeKernel.Tables"/>.</summary>
    public static void Tables(int* positions, int rows, float* inverseFrequencies, int halfDim, float attentionFactor, float* cos, float* sin)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < halfDim; i++)
            {
                float angle = (float)positions[r] * inverseFrequencies[i];
                cos[(long)r * halfDim + i] = (float)Math.Cos(angle) * attentionFactor;
                sin[(long)r * halfDim + i] = (float)Math.Sin(angle) * attentionFactor;
            }
        }
    }

    /// <summary>See <see cref="RopeKernel.Apply"/>.</summary>
    public static void Apply(float* x, long ldx, int rows, int heads, int headDim, float* cos, float* sin, int halfDim,
        bool interleaved, bool inverse)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int h = 0; h < heads; h++)
            {
                float* row = x + r * ldx + (long)h * headDim;
                for (int i = 0; i < halfDim; i++)
                {
                    int a = interleaved ? 2 * i : i, b = interleaved ? 2 * i + 1 : i + halfDim;
                    double c = cos[(long)r * halfDim + i], s = inverse ? -sin[(long)r * halfDim + i] : sin[(long)r * halfDim + i];
                    double first = row[a], second = row[b];
                    row[a] = (float)(first * c - second * s);
                    row[b] = (float)(second * c + first * s);
                }
            }
        }
    }
}
