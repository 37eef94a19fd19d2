using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>a</c>.</summary>
internal readonly struct PlainTerm : IWideTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D Add<S, V, D>(D sum, V a, V b)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.AddWide(sum, a);
}
