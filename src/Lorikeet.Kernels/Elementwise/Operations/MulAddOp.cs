using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>a * b + c</c>.</summary>
internal readonly struct MulAddOp : IRowOp
{
    public static int Inputs => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Fma(a, b, c);
}
