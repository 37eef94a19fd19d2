using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><see cref="Activation.QuickGelu"/>.</summary>
internal readonly struct QuickGelu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Mul(x, VectorMath.Sigmoid<S, V, D>(S.Mul(x, S.Create(1.702f))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V scaled = S.Mul(x, S.Create(1.702f));
        V sigmoid = VectorMath.Sigmoid<S, V, D>(scaled, out V complement);
        derivative = S.Mul(sigmoid, S.Fma(scaled, complement, S.Create(1f)));
        return S.Mul(x, sigmoid);
    }
}
