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
        => VectorMath.Tanh<S, V, D>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Both<S, V, D>(V x, out V derivative)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V tanh = VectorMath.Tanh<S, V, D>(x);
        V one = S.Create(1f);
        // (1 - t)(1 + t) keeps the small derivative of large arguments
        derivative = S.Mul(S.Sub(one, tanh), S.Add(one, tanh));
        return tanh;
    }
}
