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
    /// The same for a panel of rows at once, each a column of <paramref name="s"/>, <paramref name="width"/> floats from key to key: the scores of the keys that
    /// a row sees become <c>exp(score - max)</c>, those of others zeros. A row's factor of what was summed before goes to <paramref name="factor"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Panel<S, V, D>(float* s, int width, in Seen seen, float softCap, float* max, float* total, float* factor)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        nint step = width, keys = seen.High - seen.Low;
        for (int c = 0; c < width; c += S.Count)
        {
            float* first = s + seen.Low * step + c, end = first + keys * step;
            if (softCap != 0)
            {
                V cap = S.Create(softCap), inverse = S.Create(1 / softCap);
                for (float* x = first; x < end; x += step)
                    S.Store(x, S.Mul(cap, VectorMath.Tanh<S, V, D>(S.Mul(S.Load(x), inverse), out _)));
            }
            if (seen.Masked)
                Mask<S, V, D>(s + c, step, seen, c);

            V old = S.Load(max + c), m0 = old, m1 = old, m2 = old, m3 = old;
            float* at = first;
            for (; at + 3 * step < end; at += 4 * step)
            {
                m0 = S.Max(S.Load(at), m0);
                m1 = S.Max(S.Load(at + step), m1);
                m2 = S.Max(S.Load(at + 2 * step), m2);
                m3 = S.Max(S.Load(at + 3 * step), m3);
            }
            for (; at < end; at += step)
                m0 = S.Max(S.Load(at), m0);
            m0 = S.Max(S.Max(m0, m1), S.Max(m2, m3));

            V sum0 = S.Create(0), sum1 = sum0;
            at = first;
            for (; at + step < end; at += 2 * step)
            {
                V p = VectorMath.ExpOfNegative<S, V, D>(S.Sub(S.Load(at), m0));
                V r = VectorMath.ExpOfNegative<S, V, D>(S.Sub(S.Load(at + step), m0));
                sum0 = S.Add(sum0, p);
                sum1 = S.Add(sum1, r);
                S.Store(at, p);
                S.Store(at + step, r);
            }
            if (at < end)
            {
                V p = VectorMath.ExpOfNegative<S, V, D>(S.Sub(S.Load(at), m0));
                sum0 = S.Add(sum0, p);
                S.Store(at, p);
            }
            V again = VectorMath.ExpOfNegative<S, V, D>(S.Sub(old, m0));
            S.Store(factor + c, again);
            S.Store(total + c, S.Fma(S.Load(total + c), again, S.Add(sum0, sum1)));
            S.Store(max + c, m0);
        }
    }

    private static void Mask<S, V, D>(float* s, nint step, in Seen seen, int column)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V none = S.Create(float.NegativeInfinity), first = S.Load(seen.First + column), last = S.Load(seen.Last + column);
        for (int key = seen.Low; key < seen.High; key++)
        {
            if (key >= seen.AllLow && key < seen.AllHigh)
                key = seen.AllHigh;
            if (key >= seen.High)
                break;
            V now = S.Create(key);
            S.Store(s + key * step, S.Select(S.Less(now, last), S.Select(S.Less(now, first), none, S.Load(s + key * step)), none));
        }
    }

    /// <summary>
    /// From scores and <c>dP = dOut . V</c> of a few rows and the keys <c>from .. end - 1</c> (multiples of the vector): probabilities
    /// <c>p = exp(score - logSumExp)</c> over the scores, and <c>dScore = p * (dP - delta)</c> over dP; zeros where a row does not see a key. All see those
    /// from <paramref name="allLow"/> to <paramref name="allHigh"/>, and row r those from <c>first[r] - start</c> to <c>last[r] - start</c>. The rows' numbers lie
    /// <paramref name="heads"/> floats apart.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Derivative<S, V, D>(float* s, float* dp, nint step, int rows, int from, int end, int allLow, int allHigh, int* first, int* last, int start,
        float* logSumExp, float* delta, nint heads, float softCap)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V one = S.Create(1), zero = S.Create(0), cap = S.Create(softCap), inverse = S.Create(1 / softCap);
        float* places = stackalloc float[16] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
        V lanes = S.Load(places);
        for (; rows > 0; rows--, s += step, dp += step, logSumExp += heads, delta += heads, first++, last++)
        {
            V lse = S.Create(*logSumExp), carried = S.Create(*delta), low = S.Create(*first - start), high = S.Create(*last - start);
            for (int i = from; i < end; i += S.Count)
            {
                V x = S.Load(s + i), slope = one;
                if (softCap != 0)
                    x = S.Mul(cap, VectorMath.Tanh<S, V, D>(S.Mul(x, inverse), out slope));
                V p = VectorMath.ExpOfNegative<S, V, D>(S.Sub(x, lse));
                V d = S.Mul(p, S.Sub(S.Load(dp + i), carried));
                if (softCap != 0)
                    d = S.Mul(d, slope);
                if (i < allLow || i + S.Count > allHigh)
                {
                    V key = S.Add(lanes, S.Create(i)), below = S.Less(key, low), within = S.Less(key, high);
                    p = S.Select(within, S.Select(below, zero, p), zero);
                    d = S.Select(within, S.Select(below, zero, d), zero);
                }
                S.Store(s + i, p);
                S.Store(dp + i, d);
            }
        }
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

    /// <summary>The least maximum: below every score, and yet its difference to them is a number.</summary>
    public const float Nothing = -1e37f;

    /// <summary>Which keys of a block the queries of a panel see, counted from the block's first.</summary>
    public struct Seen
    {
        /// <summary>Keys that some query sees.</summary>
        public int Low, High;
        /// <summary>Keys that all queries see; no range where there are none.</summary>
        public int AllLow, AllHigh;
        /// <summary>Each query's own first key, and one past its last; only where <see cref="Masked"/>.</summary>
        public float* First, Last;

        /// <summary>True where some query does not see a key that another sees.</summary>
        public readonly bool Masked => AllLow > Low || AllHigh < High;
    }
}
