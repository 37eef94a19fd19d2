using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Elementary functions in any vector width. Polynomials are minimax fits of this project (Remez); the errors given are against exact values.
/// </summary>
internal static class VectorMath
{
    private const float Log2E = 1.44269504f;
    // ln 2 in two pieces: n * the first is exact for |n| < 2^15
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary><c>e^x</c> within 1 ulp (2 where the result is denormal); 0 and infinity beyond the range, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        // the clamped value comes second: Min and Max hand a NaN on from there
        x = S.Min(S.Create(89f), S.Max(S.Create(-104f), x));
        V n = S.Round(S.Mul(x, S.Create(Log2E)));
        V r = S.Fnma(n, S.Create(Ln2Low), S.Fnma(n, S.Create(Ln2High), x));
        V p = S.Create(0.0013814540579915047f);
        p = S.Fma(p, r, S.Create(0.00836874544620514f));
        p = S.Fma(p, r, S.Create(0.04166838899254799f));
        p = S.Fma(p, r, S.Create(0.1666652113199234f));
        p = S.Fma(p, r, S.Create(0.4999999403953552f));
        p = S.Fma(S.Mul(r, r), p, r);
        return S.Pow2Scale(S.Add(p, S.Create(1f)), n);
    }

    /// <summary>
    /// <c>e^x</c> for x up to about 0, as softmax needs it: the error is 1.3e-7 of 1 (of the greatest term), not of each result. A third cheaper than
    /// <see cref="Exp"/>; 0 where the result would be denormal, which takes processors a hundred times as long, and NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpOfNegative<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        // 2^(n + f), f in -0.5 .. 0.5
        V least = S.Create(-126f), power = S.Mul(x, S.Create(Log2E)), kept = S.Max(least, power);
        V n = S.Round(kept);
        V f = S.Sub(kept, n);
        V p = S.Create(0.00015353321214206517f);
        p = S.Fma(p, f, S.Create(0.0013398926239460707f));
        p = S.Fma(p, f, S.Create(0.009618437848985195f));
        p = S.Fma(p, f, S.Create(0.055503323674201965f));
        p = S.Fma(p, f, S.Create(0.24022647738456726f));
        p = S.Fma(p, f, S.Create(0.6931471824645996f));
        p = S.Fma(p, f, S.Create(1f));
        return S.Select(S.Less(power, least), S.Create(0), S.Pow2Scale(p, n));
    }

    /// <summary><c>1 / (1 + e^-x)</c>, relative error below 2e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V one = S.Create(1f);
        return S.Div(one, S.Add(one, Exp<S, V, D>(S.Sub(S.Create(0f), x))));
    }

    /// <summary><c>1 / (1 + e^-x)</c> and <c>1 / (1 + e^x)</c>, both to full relative precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<S, V, D>(V x, out V complement)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V zero = S.Create(0f), one = S.Create(1f);
        V e = Exp<S, V, D>(S.Sub(zero, S.Abs(x)));
        V greater = S.Div(one, S.Add(one, e)), lesser = S.Mul(e, greater), negative = S.Less(x, zero);
        complement = S.Select(negative, greater, lesser);
        return S.Select(negative, lesser, greater);
    }

    /// <summary>Hyperbolic tangent, relative error below 3e-7, and its derivative <c>1 - tanh^2</c> without cancellation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V square = S.Mul(x, x);
        V p = S.Create(-0.005709497258067131f);
        p = S.Fma(p, square, S.Create(0.020644135773181915f));
        p = S.Fma(p, square, S.Create(-0.05374162271618843f));
        p = S.Fma(p, square, S.Create(0.13331469893455505f));
        p = S.Fma(p, square, S.Create(-0.3333328366279602f));
        V near = S.Fma(S.Mul(square, x), p, x);
        V zero = S.Create(0f), one = S.Create(1f), size = S.Abs(x);
        V e = Exp<S, V, D>(S.Mul(S.Create(-2f), size));
        V inverse = S.Div(one, S.Add(one, e));
        V far = S.Mul(S.Sub(one, e), inverse);
        derivative = S.Mul(S.Mul(S.Create(4f), e), S.Mul(inverse, inverse));
        return S.Select(S.Less(size, S.Create(0.625f)), near, S.Select(S.Less(x, zero), S.Sub(zero, far), far));
    }

    /// <summary>
    /// The normal distribution's density <c>exp(-x^2/2) / sqrt(2 pi)</c> and its integral <c>Phi(x) = (1 + erf(x / sqrt 2)) / 2</c>, the tail on the left
    /// to full relative precision (about 3e-7).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V NormalIntegral<S, V, D>(V x, out V density)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V zero = S.Create(0f), one = S.Create(1f), half = S.Create(0.5f);
        // beyond 15 the density is 0 in single precision, and larger squares would overflow
        V size = S.Min(S.Create(15f), S.Abs(x));
        // size^2 / 2 is rounded; what was lost goes back in as a factor 1 - lost
        V square = S.Mul(size, size);
        V lost = S.Mul(half, S.Sub(zero, S.Fnma(size, size, square)));
        V exp = Exp<S, V, D>(S.Mul(S.Create(-0.5f), square));
        exp = S.Fnma(exp, lost, exp);
        density = S.Mul(exp, S.Create(0.398942280401f));
        // erfc(z) = exp(-z^2) t P(t), t = 1 / (1 + 0.3 z), relative error 2e-8
        V z = S.Mul(size, S.Create(0.70710678118654752f));
        V t = S.Div(one, S.Fma(z, S.Create(0.3f), one));
        V p = S.Create(-0.12954062223434448f);
        p = S.Fma(p, t, S.Create(0.4856562614440918f));
        p = S.Fma(p, t, S.Create(-0.5124877095222473f));
        p = S.Fma(p, t, S.Create(0.5479840040206909f));
        p = S.Fma(p, t, S.Create(-0.09485369175672531f));
        p = S.Fma(p, t, S.Create(0.215023472905159f));
        p = S.Fma(p, t, S.Create(0.14831070601940155f));
        p = S.Fma(p, t, S.Create(0.17071984708309174f));
        p = S.Fma(p, t, S.Create(0.16918767988681793f));
        V tail = S.Mul(S.Mul(half, exp), S.Mul(t, p));
        return S.Select(S.Less(x, zero), tail, S.Sub(one, tail));
    }
}
