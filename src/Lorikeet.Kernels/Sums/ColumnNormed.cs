using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>x * (y - p) * q</c>.</summary>
internal readonly struct ColumnNormed : IColumnTerm
{
    public static bool ReadsY => true;
    public static int RowScalars => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<S, V, D>(V sum, V x, V y, V p, V q)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => S.Fma(S.Mul(x, q), S.Sub(y, p), sum);
}
