using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>a - b</c>.</summary>
internal readonly struct SubtractOp : IRowOp
{
    public static int Inputs => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Sub(a, b);
}
