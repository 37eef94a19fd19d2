using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><see cref="Activation.GeluTanh"/>.</summary>
internal readonly struct GeluTanh : IActivation
{
    private const float TwiceRoot2OverPi = 1.5957691216057308f;
    private const float Cubic = 0.044715f;

    // (1 + tanh u) / 2 is sigmoid(2u), which has no cancellation on the left
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Argument<S, V, D>(V x, V square)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Mul(x, S.Fma(square, S.Create(Cubic * TwiceRoot2OverPi), S.Create(TwiceRoot2OverPi)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Mul(x, VectorMath.Sigmoid<S, V, D>(Argument<S, V, D>(x, S.Mul(x, x))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V square = S.Mul(x, x);
        V sigmoid = VectorMath.Sigmoid<S, V, D>(Argument<S, V, D>(x, square), out V complement);
        V slope = S.Fma(square, S.Create(3 * Cubic * TwiceRoot2OverPi), S.Create(TwiceRoot2OverPi));
        derivative = S.Mul(sigmoid, S.Fma(S.Mul(x, slope), complement, S.Create(1f)));
        return S.Mul(x, sigmoid);
    }
}
