using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><see cref="Activation.Tanh"/>.</summary>
internal readonly struct Tanh : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<S, V, D>(V x)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => VectorMath.Tanh<S, V, D>(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => VectorMath.Tanh<S, V, D>(x, out derivative);
}
