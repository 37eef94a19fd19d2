using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// Scales that lose least, for formats that leave the choice to whoever packs: several ranges are tried, and for the codes of each the best scale follows by
/// weighted least squares. Large weights count more, for they matter more in a product. Groups are 16 or 32 numbers.
/// </summary>
internal static unsafe class ScaleSearch
{
    private const int Ranges = 21;

    /// <summary>Below this, numbers are zeros: no half precision scale reaches them.</summary>
    private const float Nothing = 1e-30f;

    /// <summary><c>x ≈ scale · q - minimum</c> with codes from 0 to <paramref name="most"/> and both numbers not negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Scale, float Minimum) Affine(float* x, int count, int most)
    {
        Vector256<float> lows = Vector256<float>.Zero, highs = Vector256.Create(float.NegativeInfinity);
        for (int i = 0; i < count; i += 8)
        {
            Vector256<float> v = Vector256.Load(x + i);
            lows = Vector256.MinNative(lows, v);
            highs = Vector256.MaxNative(highs, v);
        }
        float least = Least(lows), greatest = -Least(-highs);
        (float Scale, float Minimum) best = ((greatest - least) / most, -least);
        if (!(greatest - least > Nothing))
            return (0, -least);
        Vector256<float> typical = Typical(x, count), start = Vector256.Create(least), last = Vector256.Create((float)most);
        Vector256<float> sumsW = Vector256<float>.Zero, sumsX = Vector256<float>.Zero;
        for (int i = 0; i < count; i += 8)
        {
            Vector256<float> v = Vector256.Load(x + i), w = typical + Vector256.Abs(v);
            sumsW += w;
            sumsX += w * v;
        }
        float sumW = Vector256.Sum(sumsW), sumX = Vector256.Sum(sumsX), bestError = Error(best.Scale, best.Minimum);
        for (int range = 0; range < Ranges; range++)
        {
            Vector256<float> inverse = Vector256.Create((most - 1 + 0.1f * range) / (greatest - least));
            Vector256<float> sumsQ = Vector256<float>.Zero, sumsQQ = Vector256<float>.Zero, sumsXQ = Vector256<float>.Zero;
            for (int i = 0; i < count; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i);
                Vector256<float> q = Vector256.MinNative(Vector256.Round(inverse * (v - start)), last), wq = (typical + Vector256.Abs(v)) * q;
                sumsQ += wq;
                sumsQQ += wq * q;
                sumsXQ += wq * v;
            }
            float sumQ = Vector256.Sum(sumsQ), sumQQ = Vector256.Sum(sumsQQ), sumXQ = Vector256.Sum(sumsXQ), determinant = sumW * sumQQ - sumQ * sumQ;
            if (!(determinant > 0))
                continue;
            float scale = (sumW * sumXQ - sumX * sumQ) / determinant, minimum = (sumQ * sumXQ - sumQQ * sumX) / determinant;
            if (minimum < 0)
                (scale, minimum) = (sumXQ / sumQQ, 0);
            float error = Error(scale, minimum);
            if (scale > 0 && error < bestError)
                (best, bestError) = ((scale, minimum), error);
        }
        return best;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        float Error(float scale, float minimum)
        {
            Vector256<float> s = Vector256.Create(scale), inverse = Vector256.Create(1 / scale), m = Vector256.Create(minimum), sum = Vector256<float>.Zero;
            for (int i = 0; i < count; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i);
                Vector256<float> q = Vector256.MinNative(Vector256.MaxNative(Vector256.Round((v + m) * inverse), Vector256<float>.Zero), last), away = s * q - m - v;
                sum += (typical + Vector256.Abs(v)) * away * away;
            }
            return Vector256.Sum(sum);
        }
    }

    /// <summary><c>x ≈ scale · q</c> with codes from <c>-half</c> to <c>half - 1</c>; the scale's sign lets the farthest number take the code <c>-half</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Signed(float* x, int count, int half)
    {
        float farthest = Rounding.Farthest(x, count);
        if (Math.Abs(farthest) < Nothing)
            return 0;
        float best = -farthest / half, bestFit = 0;
        Vector256<float> typical = Typical(x, count);
        Vector256<float> lowest = Vector256.Create((float)-half), highest = Vector256.Create(half - 1f);
        for (int range = 0; range < Ranges - 2; range++)
        {
            // 0, 1, -1, 2, -2 …: of ranges that fit as well, the one that uses every code
            int away = (range + 1) / 2 * (range % 2 == 0 ? -1 : 1);
            Vector256<float> inverse = Vector256.Create(-(half + 0.1f * away) / farthest), sumsXQ = Vector256<float>.Zero, sumsQQ = Vector256<float>.Zero;
            for (int i = 0; i < count; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i);
                Vector256<float> q = Vector256.MinNative(Vector256.MaxNative(Vector256.Round(inverse * v), lowest), highest), wq = (typical + Vector256.Abs(v)) * q;
                sumsXQ += wq * v;
                sumsQQ += wq * q;
            }
            Keep(Vector256.Sum(sumsXQ), Vector256.Sum(sumsQQ), ref best, ref bestFit);
        }
        return best;
    }

    /// <summary><c>x ≈ scale · level</c> with the levels of <see cref="IQ4_NL"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Levels(float* x, int count)
    {
        float farthest = Rounding.Farthest(x, count);
        if (Math.Abs(farthest) < Nothing)
            return 0;
        float best = farthest / IQ4_NL.Lowest, bestFit = 0;
        Vector256<float> typical = Typical(x, count);
        // the farthest number takes the lowest level or the highest, or comes close to it
        for (int range = 0; range < 16; range++)
        {
            float level = range < 8 ? IQ4_NL.Lowest + 3 * (range - 4) : IQ4_NL.Highest + 3 * (range - 12);
            Vector256<float> inverse = Vector256.Create(level / farthest), sumsXQ = Vector256<float>.Zero, sumsQQ = Vector256<float>.Zero;
            for (int i = 0; i < count; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i), q = IQ4_NL.Nearest(inverse * v), wq = (typical + Vector256.Abs(v)) * q;
                sumsXQ += wq * v;
                sumsQQ += wq * q;
            }
            Keep(Vector256.Sum(sumsXQ), Vector256.Sum(sumsQQ), ref best, ref bestFit);
        }
        return best;
    }

    /// <summary>What a least-squares scale explains of the numbers is <c>(Σ w x q)² / Σ w q²</c>: the more the better.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(float sumXQ, float sumQQ, ref float best, ref float bestFit)
    {
        float fit = sumXQ * (sumXQ / sumQQ);
        if (fit > bestFit)
            (best, bestFit) = (sumXQ / sumQQ, fit);
    }

    /// <summary>The root of the mean square, which with its own magnitude is what a number weighs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Typical(float* x, int count)
    {
        Vector256<float> squares = Vector256<float>.Zero;
        for (int i = 0; i < count; i += 8)
            squares += Vector256.Load(x + i) * Vector256.Load(x + i);
        return Vector256.Create(MathF.Sqrt(Vector256.Sum(squares) / count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Least(Vector256<float> x)
    {
        Vector128<float> four = Vector128.MinNative(x.GetLower(), x.GetUpper());
        four = Vector128.MinNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Min(four[0], four[1]);
    }
}
