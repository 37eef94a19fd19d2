using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>One row of scores at a time: the running softmax (Milakov and Gimelshein 2018) and its derivative.</summary>
internal static unsafe class AttentionSoftmax
{
    /// <summary>
    /// Turns the scores <c>low .. high - 1</c> of a row into <c>exp(score - max)</c>, the rest of <c>start .. end - 1</c> into zeros (both bounds multiples of
    /// the vector), and carries the running maximum and sum on. Returns the factor of what was summed before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Row<S, V, D>(float* s, int low, int high, int start, int end, float softCap, ref float max, ref float sum)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V zero = S.Create(0);
        if (low >= high)
        {
            for (int i = start; i < end; i += S.Count)
                S.Store(s + i, zero);
            return 1;
        }
        int from = low & -S.Count, to = (high + S.Count - 1) & -S.Count;
        for (int i = start; i < from; i += S.Count)
            S.Store(s + i, zero);
        for (int i = to; i < end; i += S.Count)
            S.Store(s + i, zero);
        if (softCap != 0)
            Cap<S, V, D>(s, from, to, softCap);
        for (int i = from; i < low; i++)
            s[i] = float.NegativeInfinity;
        for (int i = high; i < to; i++)
            s[i] = float.NegativeInfinity;

        V greatest = S.Create(max);
        for (int i = from; i < to; i += S.Count)
            greatest = S.Max(S.Load(s + i), greatest);
        float newMax = S.Largest(greatest);
        V middle = S.Create(newMax), total = zero;
        for (int i = from; i < to; i += S.Count)
        {
            V p = VectorMath.ExpOfNegative<S, V, D>(S.Sub(S.Load(s + i), middle));
            total = S.Add(total, p);
            S.Store(s + i, p);
        }
        float factor = VectorMath.ExpOfNegative<SimdScalar, float, double>(max - newMax);
        sum = sum * factor + S.Sum(total);
        max = newMax;
        return factor;
    }

    /// <summary>
    /// From scores and <c>dP = dOut . V</c> of a row: probabilities <c>p = exp(score - logSumExp)</c> over the scores, and
    /// <c>dScore = p * (dP - delta)</c> over dP; both zero outside of <c>low .. high - 1</c>, up to <paramref name="end"/> (a multiple of the vector).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Derivative<S, V, D>(float* s, float* dp, int low, int high, int end, float logSumExp, float delta, float softCap)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V zero = S.Create(0);
        if (low >= high)
            low = high = 0;
        int from = low & -S.Count, to = (high + S.Count - 1) & -S.Count;
        for (int i = 0; i < from; i += S.Count)
        {
            S.Store(s + i, zero);
            S.Store(dp + i, zero);
        }
        for (int i = to; i < end; i += S.Count)
        {
            S.Store(s + i, zero);
            S.Store(dp + i, zero);
        }
        V lse = S.Create(logSumExp), carried = S.Create(delta);
        if (softCap == 0)
        {
            for (int i = from; i < to; i += S.Count)
            {
                V p = VectorMath.ExpOfNegative<S, V, D>(S.Sub(S.Load(s + i), lse));
                S.Store(s + i, p);
                S.Store(dp + i, S.Mul(p, S.Sub(S.Load(dp + i), carried)));
            }
        }
        else
        {
            V cap = S.Create(softCap), inverse = S.Create(1 / softCap);
            for (int i = from; i < to; i += S.Count)
            {
                V bent = VectorMath.Tanh<S, V, D>(S.Mul(S.Load(s + i), inverse), out V slope);
                V p = VectorMath.ExpOfNegative<S, V, D>(S.Sub(S.Mul(cap, bent), lse));
                S.Store(s + i, p);
                S.Store(dp + i, S.Mul(S.Mul(p, slope), S.Sub(S.Load(dp + i), carried)));
            }
        }
        for (int i = from; i < low; i++)
            s[i] = dp[i] = 0;
        for (int i = high; i < to; i++)
            s[i] = dp[i] = 0;
    }

    private static void Cap<S, V, D>(float* s, int from, int to, float softCap)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V cap = S.Create(softCap), inverse = S.Create(1 / softCap);
        for (int i = from; i < to; i += S.Count)
            S.Store(s + i, S.Mul(cap, VectorMath.Tanh<S, V, D>(S.Mul(S.Load(s + i), inverse), out _)));
    }
}
