using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>c + a * act'(b)</c>.</summary>
internal readonly struct ActivationBackwardAdd<TActivation> : IRowOp
    where TActivation : struct, IActivation
{
    public static int Inputs => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        TActivation.Both<S, V, D>(b, out V derivative);
        return S.Fma(a, derivative, c);
    }
}
