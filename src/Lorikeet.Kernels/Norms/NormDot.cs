using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>a * b * (c + s)</c>: the gradient against the input through a weight with an offset.</summary>
internal readonly struct NormDot : IRowOp
{
    public static int Inputs => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V, D>(V a, V b, V c, V s)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Mul(S.Mul(a, b), S.Add(c, s));
}
