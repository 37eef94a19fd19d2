using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><see cref="Activation.Sigmoid"/>.</summary>
internal readonly struct Sigmoid : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => VectorMath.Sigmoid<S, V, D>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V sigmoid = VectorMath.Sigmoid<S, V, D>(x, out V complement);
        derivative = S.Mul(sigmoid, complement);
        return sigmoid;
    }
}
