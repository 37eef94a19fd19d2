using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>a</c>.</summary>
internal readonly struct CopyOp : IRowOp
{
    public static int Inputs => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => a;
}
