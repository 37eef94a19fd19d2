namespace Lorikeet.Kernels;

/// <summary>How numbers become codes: what the packing of block formats has in common.</summary>
internal static unsafe class Rounding
{
    private const int Candidates = 20;

    /// <summary>The number that is farthest from zero, with its sign; the first of several.</summary>
    public static float Farthest(float* x, int count)
    {
        float farthest = 0;
        for (int i = 0; i < count; i++)
            farthest = Math.Abs(x[i]) > Math.Abs(farthest) ? x[i] : farthest;
        return farthest;
    }

    /// <summary>The least and the greatest number.</summary>
    public static (float Least, float Most) Range(float* x, int count)
    {
        float least = x[0], most = x[0];
        for (int i = 1; i < count; i++)
        {
            least = Math.Min(least, x[i]);
            most = Math.Max(most, x[i]);
        }
        return (least, most);
    }

    /// <summary>To half precision, to nearest, ties to even.</summary>
    public static ushort ToHalf(float x) => BitConverter.HalfToUInt16Bits((Half)x);

    /// <summary>The nearest code to <c>x / scale</c> from 0 to <paramref name="most"/>.</summary>
    public static byte Code(float x, float scale, int most) => (byte)(scale == 0 ? 0 : Math.Clamp((int)MathF.Round(x / scale), 0, most));

    /// <summary>
    /// <c>x ≈ scale · q - minimum</c> with codes from 0 to <paramref name="most"/> and both numbers not negative. Several ranges are tried; for the codes of each
    /// the best pair follows by weighted least squares. Large weights count more, for they matter more in a product.
    /// </summary>
    public static (float Scale, float Minimum) ScaleAndMinimum(float* x, int count, int most)
    {
        (float least, float greatest) = Range(x, count);
        least = Math.Min(least, 0);
        if (greatest <= least)
            return (0, -least);
        float* weight = stackalloc float[count];
        float square = 0;
        for (int i = 0; i < count; i++)
            square += x[i] * x[i];
        float typical = MathF.Sqrt(square / count);
        float sumW = 0, sumX = 0;
        for (int i = 0; i < count; i++)
        {
            weight[i] = typical + Math.Abs(x[i]);
            sumW += weight[i];
            sumX += weight[i] * x[i];
        }
        (float Scale, float Minimum) best = ((greatest - least) / most, -least);
        float bestError = Error(x, weight, count, most, best.Scale, best.Minimum);
        for (int candidate = 0; candidate <= Candidates; candidate++)
        {
            float inverse = (most - 1 + 0.1f * candidate) / (greatest - least);
            float sumQ = 0, sumQQ = 0, sumXQ = 0;
            for (int i = 0; i < count; i++)
            {
                float q = Math.Clamp(MathF.Round(inverse * (x[i] - least)), 0, most), wq = weight[i] * q;
                sumQ += wq;
                sumQQ += wq * q;
                sumXQ += wq * x[i];
            }
            float determinant = sumW * sumQQ - sumQ * sumQ;
            if (determinant <= 0)
                continue;
            float scale = (sumW * sumXQ - sumX * sumQ) / determinant, minimum = (sumQ * sumXQ - sumQQ * sumX) / determinant;
            if (minimum < 0)
                (scale, minimum) = (sumXQ / sumQQ, 0);
            float error = Error(x, weight, count, most, scale, minimum);
            if (scale > 0 && error < bestError)
                (best, bestError) = ((scale, minimum), error);
        }
        return best;
    }

    /// <summary><c>x ≈ scale · q</c> with codes from <c>-half</c> to <c>half - 1</c>; the scale's sign lets the farthest number take the code <c>-half</c>.</summary>
    public static float SignedScale(float* x, int count, int half)
    {
        float farthest = Farthest(x, count);
        if (Math.Abs(farthest) < 1e-30f)
            return 0;
        float best = 0, bestFit = 0;
        for (int candidate = 0; candidate < Candidates - 1; candidate++)
        {
            // 0, 1, -1, 2, -2 …: of ranges that fit as well, the one that uses every code
            int away = (candidate + 1) / 2 * (candidate % 2 == 0 ? -1 : 1);
            float inverse = -(half + 0.1f * away) / farthest, sumXQ = 0, sumQQ = 0;
            for (int i = 0; i < count; i++)
            {
                float q = Math.Clamp(MathF.Round(inverse * x[i]), -half, half - 1), wq = x[i] * x[i] * q;
                sumXQ += wq * x[i];
                sumQQ += wq * q;
            }
            if (sumQQ > 0 && sumXQ * sumXQ > bestFit * sumQQ)
                (best, bestFit) = (sumXQ / sumQQ, sumXQ * sumXQ / sumQQ);
        }
        return best;
    }

    private static float Error(float* x, float* weight, int count, int most, float scale, float minimum)
    {
        float error = 0;
        for (int i = 0; i < count; i++)
        {
            float away = scale * Code(x[i] + minimum, scale, most) - minimum - x[i];
            error += weight[i] * away * away;
        }
        return error;
    }
}
