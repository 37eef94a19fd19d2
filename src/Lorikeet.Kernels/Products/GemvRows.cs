using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// Dot products of stored rows with a few rows of activations. Each stored row is read once, widened in registers, and met by all activations;
/// every dot runs in two chains, whatever else runs beside it, so its result depends on the two rows alone.
/// </summary>
/// <typeparam name="TVector">A register of floats.</typeparam>
/// <typeparam name="TLanes">Its operations.</typeparam>
/// <typeparam name="TSource">How the rows are stored.</typeparam>
/// <typeparam name="TRows">Rows of activations, 1 to 8.</typeparam>
internal static unsafe class GemvRows<TVector, TLanes, TSource, TRows>
    where TVector : struct
    where TLanes : struct, IGemmLanes<TVector>
    where TSource : struct, IGemmSource
    where TRows : struct, IGemmSize
{
    /// <summary>Bytes between what is read and what is fetched.</summary>
    private const int FetchAhead = 2048;

    /// <summary><c>sums[i * sumsStep + j] = sum_p w_j[p] * x[i * xStep + p]</c> for rows <c>w_j</c> of k elements, wStep bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* w, nint wStep, int n, float* x, nint xStep, int k, float* sums, nint sumsStep)
    {
        for (; n > 0; n--, w += wStep, sums++)
        {
            TVector a0 = TLanes.Zero, b0 = TLanes.Zero;
            TVector a1 = TLanes.Zero, b1 = TLanes.Zero;
            TVector a2 = TLanes.Zero, b2 = TLanes.Zero;
            TVector a3 = TLanes.Zero, b3 = TLanes.Zero;
            TVector a4 = TLanes.Zero, b4 = TLanes.Zero;
            TVector a5 = TLanes.Zero, b5 = TLanes.Zero;
            TVector a6 = TLanes.Zero, b6 = TLanes.Zero;
            TVector a7 = TLanes.Zero, b7 = TLanes.Zero;
            byte* at = w;
            float* y = x;
            int rest = k;
            for (; rest >= 2 * TLanes.Count; rest -= 2 * TLanes.Count)
            {
                // rows follow one another: what comes next is asked for before the processor's own guess, which ends with each page
                if (Sse.IsSupported)
                {
                    Sse.Prefetch0(at + FetchAhead);
                    if (2 * TLanes.Count * TSource.Bytes > 64)
                        Sse.Prefetch0(at + FetchAhead + 64);
                }
                TVector l = TSource.Load<TVector, TLanes>(at);
                TVector r = TSource.Load<TVector, TLanes>(at + TLanes.Count * TSource.Bytes);
                {
                    a0 = TLanes.MultiplyAdd(l, TLanes.Load(y), a0);
                    b0 = TLanes.MultiplyAdd(r, TLanes.Load(y + TLanes.Count), b0);
                }
                if (TRows.Value > 1)
                {
                    a1 = TLanes.MultiplyAdd(l, TLanes.Load(y + 1 * xStep), a1);
                    b1 = TLanes.MultiplyAdd(r, TLanes.Load(y + 1 * xStep + TLanes.Count), b1);
                }
                if (TRows.Value > 2)
                {
                    a2 = TLanes.MultiplyAdd(l, TLanes.Load(y + 2 * xStep), a2);
                    b2 = TLanes.MultiplyAdd(r, TLanes.Load(y + 2 * xStep + TLanes.Count), b2);
                }
                if (TRows.Value > 3)
                {
                    a3 = TLanes.MultiplyAdd(l, TLanes.Load(y + 3 * xStep), a3);
                    b3 = TLanes.MultiplyAdd(r, TLanes.Load(y + 3 * xStep + TLanes.Count), b3);
                }
                if (TRows.Value > 4)
                {
                    a4 = TLanes.MultiplyAdd(l, TLanes.Load(y + 4 * xStep), a4);
                    b4 = TLanes.MultiplyAdd(r, TLanes.Load(y + 4 * xStep + TLanes.Count), b4);
                }
                if (TRows.Value > 5)
                {
                    a5 = TLanes.MultiplyAdd(l, TLanes.Load(y + 5 * xStep), a5);
                    b5 = TLanes.MultiplyAdd(r, TLanes.Load(y + 5 * xStep + TLanes.Count), b5);
                }
                if (TRows.Value > 6)
                {
                    a6 = TLanes.MultiplyAdd(l, TLanes.Load(y + 6 * xStep), a6);
                    b6 = TLanes.MultiplyAdd(r, TLanes.Load(y + 6 * xStep + TLanes.Count), b6);
                }
                if (TRows.Value > 7)
                {
                    a7 = TLanes.MultiplyAdd(l, TLanes.Load(y + 7 * xStep), a7);
                    b7 = TLanes.MultiplyAdd(r, TLanes.Load(y + 7 * xStep + TLanes.Count), b7);
                }
                at += 2 * TLanes.Count * TSource.Bytes;
                y += 2 * TLanes.Count;
            }
            if (rest >= TLanes.Count)
            {
                TVector l = TSource.Load<TVector, TLanes>(at);
                a0 = TLanes.MultiplyAdd(l, TLanes.Load(y), a0);
                if (TRows.Value > 1)
                    a1 = TLanes.MultiplyAdd(l, TLanes.Load(y + 1 * xStep), a1);
                if (TRows.Value > 2)
                    a2 = TLanes.MultiplyAdd(l, TLanes.Load(y + 2 * xStep), a2);
                if (TRows.Value > 3)
                    a3 = TLanes.MultiplyAdd(l, TLanes.Load(y + 3 * xStep), a3);
                if (TRows.Value > 4)
                    a4 = TLanes.MultiplyAdd(l, TLanes.Load(y + 4 * xStep), a4);
                if (TRows.Value > 5)
                    a5 = TLanes.MultiplyAdd(l, TLanes.Load(y + 5 * xStep), a5);
                if (TRows.Value > 6)
                    a6 = TLanes.MultiplyAdd(l, TLanes.Load(y + 6 * xStep), a6);
                if (TRows.Value > 7)
                    a7 = TLanes.MultiplyAdd(l, TLanes.Load(y + 7 * xStep), a7);
                at += TLanes.Count * TSource.Bytes;
                y += TLanes.Count;
                rest -= TLanes.Count;
            }
            sums[0] = TLanes.Sum(TLanes.Add(a0, b0)) + Tail(at, y, rest);
            if (TRows.Value > 1)
                sums[1 * sumsStep] = TLanes.Sum(TLanes.Add(a1, b1)) + Tail(at, y + 1 * xStep, rest);
            if (TRows.Value > 2)
                sums[2 * sumsStep] = TLanes.Sum(TLanes.Add(a2, b2)) + Tail(at, y + 2 * xStep, rest);
            if (TRows.Value > 3)
                sums[3 * sumsStep] = TLanes.Sum(TLanes.Add(a3, b3)) + Tail(at, y + 3 * xStep, rest);
            if (TRows.Value > 4)
                sums[4 * sumsStep] = TLanes.Sum(TLanes.Add(a4, b4)) + Tail(at, y + 4 * xStep, rest);
            if (TRows.Value > 5)
                sums[5 * sumsStep] = TLanes.Sum(TLanes.Add(a5, b5)) + Tail(at, y + 5 * xStep, rest);
            if (TRows.Value > 6)
                sums[6 * sumsStep] = TLanes.Sum(TLanes.Add(a6, b6)) + Tail(at, y + 6 * xStep, rest);
            if (TRows.Value > 7)
                sums[7 * sumsStep] = TLanes.Sum(TLanes.Add(a7, b7)) + Tail(at, y + 7 * xStep, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Tail(byte* at, float* x, int rest)
    {
        float sum = 0;
        for (; rest > 0; rest--, at += TSource.Bytes, x++)
            sum += TSource.Load(at) * *x;
        return sum;
    }
}
