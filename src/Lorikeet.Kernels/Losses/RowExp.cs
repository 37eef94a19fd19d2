using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>The exponentials of one row and their sum in double.</summary>
internal static unsafe class RowExp
{
    /// <summary>Returns <c>sum(exp(x - max))</c> and, unless y is null, writes the terms to y (which may be x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Sum<S, V, D>(float* x, float max, float* y, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V middle = S.Create(max);
        D s0 = S.ZeroWide(), s1 = S.ZeroWide();
        int i = 0;
        for (; i <= n - 2 * S.Count; i += 2 * S.Count)
        {
            V e0 = VectorMath.Exp<S, V, D>(S.Sub(S.Load(x + i), middle));
            V e1 = VectorMath.Exp<S, V, D>(S.Sub(S.Load(x + i + S.Count), middle));
            if (y != null)
            {
                S.Store(y + i, e0);
                S.Store(y + i + S.Count, e1);
            }
            s0 = S.AddWide(s0, e0);
            s1 = S.AddWide(s1, e1);
        }
        double sum = S.SumWide(S.AddWide(s0, s1));
        for (; i < n; i++)
        {
            float e = VectorMath.Exp<SimdScalar, float, double>(x[i] - max);
            if (y != null)
                y[i] = e;
            sum += e;
        }
        return sum;
    }

    /// <summary><c>y = s * y + add</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale<S, V, D>(float* y, float s, float add, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V scale = S.Create(s), shift = S.Create(add);
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
            S.Store(y + i, S.Fma(S.Load(y + i), scale, shift));
        for (; i < n; i++)
            y[i] = float.MultiplyAddEstimate(y[i], s, add);
    }
}
