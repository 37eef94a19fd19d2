using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><see cref="Activation.Silu"/>.</summary>
internal readonly struct Silu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Div(x, S.Add(S.Create(1f), VectorMath.Exp<S, V, D>(S.Sub(S.Create(0f), x))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V sigmoid = VectorMath.Sigmoid<S, V, D>(x, out V complement);
        derivative = S.Mul(sigmoid, S.Fma(x, complement, S.Create(1f)));
        return S.Mul(x, sigmoid);
    }
}
