using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>a * b</c>, formed in double: exact.</summary>
internal readonly struct ProductTerm : IWideTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D Add<S, V, D>(D sum, V a, V b)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.FmaWide(a, b, sum);
}
