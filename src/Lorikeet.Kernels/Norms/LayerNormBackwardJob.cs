using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Rows of <see cref="LayerNormKernel.Backward"/>: with <c>g = dy w</c> and the normed row <c>n</c>, <c>dx = inverse * (g - mean(g) - n mean(g n))</c>.
/// </summary>
internal unsafe struct LayerNormBackwardJob : IVectorJob<LayerNormBackwardJob>
{
    public float* Dy, X, Weight, Mean, InverseDeviation, Dx;
    public long Lddy, Ldx, Lddx;
    public float WeightOffset;
    public int Rows, Dim, PartRows;
    public bool Accumulate;

    /// <inheritdoc/>
    public static void Part<S, V, D>(LayerNormBackwardJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            Row<S, V, D>(job->Dy + r * job->Lddy, job->X + r * job->Ldx, job->Weight, job->WeightOffset, job->Mean[r], job->InverseDeviation[r],
                job->Dx + r * job->Lddx, job->Accumulate, job->Dim);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<S, V, D>(float* dy, float* x, float* weight, float offset, float mean, float inverse, float* dx, bool accumulate, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V sum = S.Create(0), dot = sum;
        float tailSum = 0, tailDot = 0;
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
        {
            V g = Gradient<S, V, D>(dy, weight, offset, i);
            sum = S.Add(sum, g);
            dot = S.Fma(g, Normed<S, V, D>(x, mean, inverse, i), dot);
        }
        for (; i < n; i++)
        {
            float g = Gradient<SimdScalar, float, double>(dy, weight, offset, i);
            tailSum += g;
            tailDot += g * Normed<SimdScalar, float, double>(x, mean, inverse, i);
        }
        float meanGradient = (S.Sum(sum) + tailSum) / n, meanDot = (S.Sum(dot) + tailDot) / n;
        for (i = 0; i <= n - S.Count; i += S.Count)
            Step<S, V, D>(dy, x, weight, offset, mean, inverse, meanGradient, meanDot, dx, accumulate, i);
        for (; S.Count > 1 && i < n; i++)
            Step<SimdScalar, float, double>(dy, x, weight, offset, mean, inverse, meanGradient, meanDot, dx, accumulate, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S, V, D>(float* dy, float* x, float* weight, float offset, float mean, float inverse,
        float meanGradient, float meanDot, float* dx, bool accumulate, int i)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V g = S.Sub(Gradient<S, V, D>(dy, weight, offset, i), S.Create(meanGradient));
        g = S.Mul(S.Create(inverse), S.Fnma(Normed<S, V, D>(x, mean, inverse, i), S.Create(meanDot), g));
        S.Store(dx + i, accumulate ? S.Add(S.Load(dx + i), g) : g);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Gradient<S, V, D>(float* dy, float* weight, float offset, int i)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => weight == null ? S.Load(dy + i) : S.Mul(S.Load(dy + i), S.Add(S.Load(weight + i), S.Create(offset)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Normed<S, V, D>(float* x, float mean, float inverse, int i)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Mul(S.Sub(S.Load(x + i), S.Create(mean)), S.Create(inverse));
}
