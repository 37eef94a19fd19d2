using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// The innermost product of attention: six rows by two vectors of C, kept in registers while k runs. Either factor of A may be the transposed one
/// (its steps are free), which the derivative needs: it reads the same block of probabilities by rows and by columns.
/// </summary>
internal static unsafe class AttentionTile
{
    /// <summary>Rows of a tile: twelve sums, two vectors of B and one of A fit in sixteen registers.</summary>
    public const int Rows = 6;

    /// <summary>
    /// <c>C[r, j] = (keep == null ? 0 : keep[r] * C[r, j]) + sum_p a[r * aRow + p * aStep] * b[p * bStep + j]</c> for fewer than or exactly six rows and
    /// two vectors of columns.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<S, V, D>(float* a, nint aRow, nint aStep, int rows, float* b, nint bStep, nint k, float* c, nint cRow, float* keep)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => Run<S, V, D, KvF32>(a, aRow, aStep, rows, (byte*)b, bStep * sizeof(float), k, c, cRow, keep);

    /// <summary>The same where B is stored as a cache stores it; its steps are bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V, D, T>(float* a, nint aRow, nint aStep, int rows, byte* b, nint bStep, nint k, float* c, nint cRow, float* keep)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        // rows that are not there compute the last one again
        float* a0 = a;
        float* a1 = rows > 1 ? a0 + aRow : a0;
        float* a2 = rows > 2 ? a1 + aRow : a1;
        float* a3 = rows > 3 ? a2 + aRow : a2;
        float* a4 = rows > 4 ? a3 + aRow : a3;
        float* a5 = rows > 5 ? a4 + aRow : a4;
        V zero = S.Create(0);
        V c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero;
        V d0 = zero, d1 = zero, d2 = zero, d3 = zero, d4 = zero, d5 = zero;
        for (nint at = 0; k > 0; k--)
        {
            V l = T.Load<S, V, D>(b), r = T.Load<S, V, D>(b + S.Count * T.Bytes);
            V x = S.Create(a0[at]);
            c0 = S.Fma(x, l, c0);
            d0 = S.Fma(x, r, d0);
            x = S.Create(a1[at]);
            c1 = S.Fma(x, l, c1);
            d1 = S.Fma(x, r, d1);
            x = S.Create(a2[at]);
            c2 = S.Fma(x, l, c2);
            d2 = S.Fma(x, r, d2);
            x = S.Create(a3[at]);
            c3 = S.Fma(x, l, c3);
            d3 = S.Fma(x, r, d3);
            x = S.Create(a4[at]);
            c4 = S.Fma(x, l, c4);
            d4 = S.Fma(x, r, d4);
            x = S.Create(a5[at]);
            c5 = S.Fma(x, l, c5);
            d5 = S.Fma(x, r, d5);
            at += aStep;
            b += bStep;
        }
        Finish<S, V, D>(c0, d0, c, keep);
        if (rows > 1)
            Finish<S, V, D>(c1, d1, c + cRow, keep == null ? null : keep + 1);
        if (rows > 2)
            Finish<S, V, D>(c2, d2, c + 2 * cRow, keep == null ? null : keep + 2);
        if (rows > 3)
            Finish<S, V, D>(c3, d3, c + 3 * cRow, keep == null ? null : keep + 3);
        if (rows > 4)
            Finish<S, V, D>(c4, d4, c + 4 * cRow, keep == null ? null : keep + 4);
        if (rows > 5)
            Finish<S, V, D>(c5, d5, c + 5 * cRow, keep == null ? null : keep + 5);
    }

    /// <summary>The same with up to three rows and four vectors of columns, for few heads to a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunThree<S, V, D, T>(float* a, nint aRow, int rows, byte* b, nint bStep, nint k, float* c, nint cRow, float* keep)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        where T : struct, IKvRow
    {
        float* a0 = a;
        float* a1 = rows > 1 ? a0 + aRow : a0;
        float* a2 = rows > 2 ? a1 + aRow : a1;
        V zero = S.Create(0);
        V c0 = zero, c1 = zero, c2 = zero, c3 = zero;
        V d0 = zero, d1 = zero, d2 = zero, d3 = zero;
        V e0 = zero, e1 = zero, e2 = zero, e3 = zero;
        for (nint at = 0; at < k; at++)
        {
            V x = S.Create(a0[at]), y = S.Create(a1[at]), z = S.Create(a2[at]);
            V v = T.Load<S, V, D>(b);
            c0 = S.Fma(x, v, c0);
            d0 = S.Fma(y, v, d0);
            e0 = S.Fma(z, v, e0);
            v = T.Load<S, V, D>(b + S.Count * T.Bytes);
            c1 = S.Fma(x, v, c1);
            d1 = S.Fma(y, v, d1);
            e1 = S.Fma(z, v, e1);
            v = T.Load<S, V, D>(b + 2 * S.Count * T.Bytes);
            c2 = S.Fma(x, v, c2);
            d2 = S.Fma(y, v, d2);
            e2 = S.Fma(z, v, e2);
            v = T.Load<S, V, D>(b + 3 * S.Count * T.Bytes);
            c3 = S.Fma(x, v, c3);
            d3 = S.Fma(y, v, d3);
            e3 = S.Fma(z, v, e3);
            b += bStep;
        }
        Finish<S, V, D>(c0, c1, c, keep);
        Finish<S, V, D>(c2, c3, c + 2 * S.Count, keep);
        if (rows > 1)
        {
            Finish<S, V, D>(d0, d1, c + cRow, keep + 1);
            Finish<S, V, D>(d2, d3, c + cRow + 2 * S.Count, keep + 1);
        }
        if (rows > 2)
        {
            Finish<S, V, D>(e0, e1, c + 2 * cRow, keep + 2);
            Finish<S, V, D>(e2, e3, c + 2 * cRow + 2 * S.Count, keep + 2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<S, V, D>(V l, V r, float* c, float* keep)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        if (keep != null)
        {
            V factor = S.Create(*keep);
            l = S.Fma(factor, S.Load(c), l);
            r = S.Fma(factor, S.Load(c + S.Count), r);
        }
        S.Store(c, l);
        S.Store(c + S.Count, r);
    }
}
