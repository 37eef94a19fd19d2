using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Sums and maxima over one row, in four chains so that the additions overlap.</summary>
internal static unsafe class RowSum
{
    /// <summary>Sum in double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Wide<TTerm, S, V, D>(float* a, float* b, long n)
        where TTerm : struct, IWideTerm
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        D s0 = S.ZeroWide(), s1 = S.ZeroWide(), s2 = S.ZeroWide(), s3 = S.ZeroWide();
        long i = 0;
        for (; i <= n - 4 * S.Count; i += 4 * S.Count)
        {
            s0 = TTerm.Add<S, V, D>(s0, S.Load(a + i), S.Load(b + i));
            s1 = TTerm.Add<S, V, D>(s1, S.Load(a + i + S.Count), S.Load(b + i + S.Count));
            s2 = TTerm.Add<S, V, D>(s2, S.Load(a + i + 2 * S.Count), S.Load(b + i + 2 * S.Count));
            s3 = TTerm.Add<S, V, D>(s3, S.Load(a + i + 3 * S.Count), S.Load(b + i + 3 * S.Count));
        }
        for (; i <= n - S.Count; i += S.Count)
            s0 = TTerm.Add<S, V, D>(s0, S.Load(a + i), S.Load(b + i));
        double sum = S.SumWide(S.AddWide(S.AddWide(s0, s1), S.AddWide(s2, s3)));
        for (; i < n; i++)
            sum = TTerm.Add<SimdScalar, float, double>(sum, a[i], b[i]);
        return sum;
    }

    /// <summary>Sum in single precision: for rows of a few thousand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Single<TTerm, S, V, D>(float* a, float* b, float* c, float scalar, long n)
        where TTerm : struct, IRowOp
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V zero = S.Create(0), s = S.Create(scalar), s0 = zero, s1 = zero, s2 = zero, s3 = zero;
        long i = 0;
        for (; i <= n - 4 * S.Count; i += 4 * S.Count)
        {
            s0 = S.Add(s0, Term<TTerm, S, V, D>(a, b, c, s, i));
            s1 = S.Add(s1, Term<TTerm, S, V, D>(a, b, c, s, i + S.Count));
            s2 = S.Add(s2, Term<TTerm, S, V, D>(a, b, c, s, i + 2 * S.Count));
            s3 = S.Add(s3, Term<TTerm, S, V, D>(a, b, c, s, i + 3 * S.Count));
        }
        for (; i <= n - S.Count; i += S.Count)
            s0 = S.Add(s0, Term<TTerm, S, V, D>(a, b, c, s, i));
        float sum = S.Sum(S.Add(S.Add(s0, s1), S.Add(s2, s3)));
        for (; i < n; i++)
            sum += Term<TTerm, SimdScalar, float, double>(a, b, c, scalar, i);
        return sum;
    }

    /// <summary>Greatest element; minus infinity for none. A NaN may be passed over.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Largest<S, V, D>(float* x, long n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V m0 = S.Create(float.NegativeInfinity), m1 = m0, m2 = m0, m3 = m0;
        long i = 0;
        for (; i <= n - 4 * S.Count; i += 4 * S.Count)
        {
            m0 = S.Max(S.Load(x + i), m0);
            m1 = S.Max(S.Load(x + i + S.Count), m1);
            m2 = S.Max(S.Load(x + i + 2 * S.Count), m2);
            m3 = S.Max(S.Load(x + i + 3 * S.Count), m3);
        }
        for (; i <= n - S.Count; i += S.Count)
            m0 = S.Max(S.Load(x + i), m0);
        float max = S.Largest(S.Max(S.Max(m0, m1), S.Max(m2, m3)));
        for (; i < n; i++)
            max = float.MaxNative(x[i], max);
        return max;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Term<TTerm, S, V, D>(float* a, float* b, float* c, V s, long i)
        where TTerm : struct, IRowOp
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => TTerm.Apply<S, V, D>(TTerm.Inputs > 0 ? S.Load(a + i) : default, TTerm.Inputs > 1 ? S.Load(b + i) : default,
            TTerm.Inputs > 2 ? S.Load(c + i) : default, s);
}
