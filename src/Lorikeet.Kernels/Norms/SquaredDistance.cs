using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>(a - s)^2</c>.</summary>
internal readonly struct SquaredDistance : IRowOp
{
    public static int Inputs => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V distance = S.Sub(a, s);
        return S.Mul(distance, distance);
    }
}
