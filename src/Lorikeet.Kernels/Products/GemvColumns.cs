using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Sums of stored rows, each times a factor: a product with a weight that is stored <c>[k, n]</c>. A few rows are added in one pass, so that the
/// sums are loaded and stored once for all of them.
/// </summary>
/// <typeparam name="TVector">A register of floats.</typeparam>
/// <typeparam name="TLanes">Its operations.</typeparam>
/// <typeparam name="TSource">How the rows are stored.</typeparam>
/// <typeparam name="TRows">Rows that are added at once, 1 to 8.</typeparam>
internal static unsafe class GemvColumns<TVector, TLanes, TSource, TRows>
    where TVector : struct
    where TLanes : struct, IGemmLanes<TVector>
    where TSource : struct, IGemmSource
    where TRows : struct, IGemmSize
{
    /// <summary><c>sums[j] += sum_p x[p] * w_p[j]</c> for rows <c>w_p</c> of n elements, wStep bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* w, nint wStep, int n, float* x, float* sums)
    {
        TVector x0 = TLanes.Broadcast(x[0]);
        TVector x1 = TRows.Value > 1 ? TLanes.Broadcast(x[1]) : TLanes.Zero;
        TVector x2 = TRows.Value > 2 ? TLanes.Broadcast(x[2]) : TLanes.Zero;
        TVector x3 = TRows.Value > 3 ? TLanes.Broadcast(x[3]) : TLanes.Zero;
        TVector x4 = TRows.Value > 4 ? TLanes.Broadcast(x[4]) : TLanes.Zero;
        TVector x5 = TRows.Value > 5 ? TLanes.Broadcast(x[5]) : TLanes.Zero;
        TVector x6 = TRows.Value > 6 ? TLanes.Broadcast(x[6]) : TLanes.Zero;
        TVector x7 = TRows.Value > 7 ? TLanes.Broadcast(x[7]) : TLanes.Zero;
        byte* w3 = w + 3 * wStep, w6 = w3 + 3 * wStep;
        nint at = 0;
        int j = 0;
        for (; j <= n - TLanes.Count; j += TLanes.Count, at += TLanes.Count * TSource.Bytes)
        {
            TVector sum = TLanes.Load(sums + j);
            sum = TLanes.MultiplyAdd(x0, TSource.Load<TVector, TLanes>(w + at), sum);
            if (TRows.Value > 1)
                sum = TLanes.MultiplyAdd(x1, TSource.Load<TVector, TLanes>(w + wStep + at), sum);
            if (TRows.Value > 2)
                sum = TLanes.MultiplyAdd(x2, TSource.Load<TVector, TLanes>(w + 2 * wStep + at), sum);
            if (TRows.Value > 3)
                sum = TLanes.MultiplyAdd(x3, TSource.Load<TVector, TLanes>(w3 + at), sum);
            if (TRows.Value > 4)
                sum = TLanes.MultiplyAdd(x4, TSource.Load<TVector, TLanes>(w3 + wStep + at), sum);
            if (TRows.Value > 5)
                sum = TLanes.MultiplyAdd(x5, TSource.Load<TVector, TLanes>(w3 + 2 * wStep + at), sum);
            if (TRows.Value > 6)
                sum = TLanes.MultiplyAdd(x6, TSource.Load<TVector, TLanes>(w6 + at), sum);
            if (TRows.Value > 7)
                sum = TLanes.MultiplyAdd(x7, TSource.Load<TVector, TLanes>(w6 + wStep + at), sum);
            TLanes.Store(sum, sums + j);
        }
        for (; j < n; j++, at += TSource.Bytes)
        {
            float sum = sums[j];
            for (int p = 0; p < TRows.Value; p++)
                sum = MathF.FusedMultiplyAdd(x[p], TSource.Load(w + p * wStep + at), sum);
            sums[j] = sum;
        }
    }
}
