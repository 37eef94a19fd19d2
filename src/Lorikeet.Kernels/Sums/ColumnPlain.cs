using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>x</c>.</summary>
internal readonly struct ColumnPlain : IColumnTerm
{
    public static bool ReadsY => false;
    public static int RowScalars => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<S, V, D>(V sum, V x, V y, V p, V q)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Add(sum, x);
}
