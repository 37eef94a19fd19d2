using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>act(a) * b</c>.</summary>
internal readonly struct ActivationGate<TActivation> : IRowOp
    where TActivation : struct, IActivation
{
    public static int Inputs => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Mul(TActivation.Value<S, V, D>(a), b);
}
