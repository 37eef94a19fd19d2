using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// The innermost loop: a tile of C kept in registers while k runs. Each k-step loads one or two registers of B's panel and adds the outer
/// product with the tile's rows of A, read one float at a time. One source for all widths and all tile heights up to 14.
/// </summary>
/// <typeparam name="TVector">A register of floats.</typeparam>
/// <typeparam name="TLanes">Its operations.</typeparam>
/// <typeparam name="TRows">Rows of the tile, 1 to 14.</typeparam>
/// <typeparam name="TColumns">Registers side by side in a row, 1 or 2.</typeparam>
internal static unsafe class GemmTile<TVector, TLanes, TRows, TColumns>
    where TVector : struct
    where TLanes : struct, IGemmLanes<TVector>
    where TRows : struct, IGemmSize
    where TColumns : struct, IGemmSize
{
    /// <summary>
    /// <c>C[i, j] = sum_p a[p * aStep + i] * b[p * bStep + j]</c>, plus what C held where the call accumulates, plus <c>bias[j]</c> where there is one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(GemmTileCall* call)
    {
        float* a = (float*)call->A, b = (float*)call->B, c = call->C, bias = call->Bias;
        nint aStep = call->AStep / sizeof(float), bStep = call->BStep / sizeof(float), cStep = call->CStep / sizeof(float), k = call->Steps;
        bool accumulate = call->Accumulate != 0;
        // the tile of C is wanted when k has run; until then it has time to come
        if (Sse.IsSupported)
        {
            for (int i = 0; i < TRows.Value; i++)
            {
                Sse.Prefetch0(c + i * cStep);
                if (TColumns.Value > 1)
                    Sse.Prefetch0(c + i * cStep + TLanes.Count);
            }
        }
        TVector c0l = TLanes.Zero, c0r = TLanes.Zero;
        TVector c1l = TLanes.Zero, c1r = TLanes.Zero;
        TVector c2l = TLanes.Zero, c2r = TLanes.Zero;
        TVector c3l = TLanes.Zero, c3r = TLanes.Zero;
        TVector c4l = TLanes.Zero, c4r = TLanes.Zero;
        TVector c5l = TLanes.Zero, c5r = TLanes.Zero;
        TVector c6l = TLanes.Zero, c6r = TLanes.Zero;
        TVector c7l = TLanes.Zero, c7r = TLanes.Zero;
        TVector c8l = TLanes.Zero, c8r = TLanes.Zero;
        TVector c9l = TLanes.Zero, c9r = TLanes.Zero;
        TVector cal = TLanes.Zero, car = TLanes.Zero;
        TVector cbl = TLanes.Zero, cbr = TLanes.Zero;
        TVector ccl = TLanes.Zero, ccr = TLanes.Zero;
        TVector cdl = TLanes.Zero, cdr = TLanes.Zero;
        for (; k > 0; k--)
        {
            TVector l = TLanes.Load(b);
            TVector r = TColumns.Value > 1 ? TLanes.Load(b + TLanes.Count) : TLanes.Zero;
            {
                TVector x = TLanes.Broadcast(a[0]);
                c0l = TLanes.MultiplyAdd(x, l, c0l);
                if (TColumns.Value > 1)
                    c0r = TLanes.MultiplyAdd(x, r, c0r);
            }
            if (TRows.Value > 1)
            {
                TVector x = TLanes.Broadcast(a[1]);
                c1l = TLanes.MultiplyAdd(x, l, c1l);
                if (TColumns.Value > 1)
                    c1r = TLanes.MultiplyAdd(x, r, c1r);
            }
            if (TRows.Value > 2)
            {
                TVector x = TLanes.Broadcast(a[2]);
                c2l = TLanes.MultiplyAdd(x, l, c2l);
                if (TColumns.Value > 1)
                    c2r = TLanes.MultiplyAdd(x, r, c2r);
            }
            if (TRows.Value > 3)
            {
                TVector x = TLanes.Broadcast(a[3]);
                c3l = TLanes.MultiplyAdd(x, l, c3l);
                if (TColumns.Value > 1)
                    c3r = TLanes.MultiplyAdd(x, r, c3r);
            }
            if (TRows.Value > 4)
            {
                TVector x = TLanes.Broadcast(a[4]);
                c4l = TLanes.MultiplyAdd(x, l, c4l);
                if (TColumns.Value > 1)
                    c4r = TLanes.MultiplyAdd(x, r, c4r);
            }
            if (TRows.Value > 5)
            {
                TVector x = TLanes.Broadcast(a[5]);
                c5l = TLanes.MultiplyAdd(x, l, c5l);
                if (TColumns.Value > 1)
                    c5r = TLanes.MultiplyAdd(x, r, c5r);
            }
            if (TRows.Value > 6)
            {
                TVector x = TLanes.Broadcast(a[6]);
                c6l = TLanes.MultiplyAdd(x, l, c6l);
                if (TColumns.Value > 1)
                    c6r = TLanes.MultiplyAdd(x, r, c6r);
            }
            if (TRows.Value > 7)
            {
                TVector x = TLanes.Broadcast(a[7]);
                c7l = TLanes.MultiplyAdd(x, l, c7l);
                if (TColumns.Value > 1)
                    c7r = TLanes.MultiplyAdd(x, r, c7r);
            }
            if (TRows.Value > 8)
            {
                TVector x = TLanes.Broadcast(a[8]);
                c8l = TLanes.MultiplyAdd(x, l, c8l);
                if (TColumns.Value > 1)
                    c8r = TLanes.MultiplyAdd(x, r, c8r);
            }
            if (TRows.Value > 9)
            {
                TVector x = TLanes.Broadcast(a[9]);
                c9l = TLanes.MultiplyAdd(x, l, c9l);
                if (TColumns.Value > 1)
                    c9r = TLanes.MultiplyAdd(x, r, c9r);
            }
            if (TRows.Value > 10)
            {
                TVector x = TLanes.Broadcast(a[10]);
                cal = TLanes.MultiplyAdd(x, l, cal);
                if (TColumns.Value > 1)
                    car = TLanes.MultiplyAdd(x, r, car);
            }
            if (TRows.Value > 11)
            {
                TVector x = TLanes.Broadcast(a[11]);
                cbl = TLanes.MultiplyAdd(x, l, cbl);
                if (TColumns.Value > 1)
                    cbr = TLanes.MultiplyAdd(x, r, cbr);
            }
            if (TRows.Value > 12)
            {
                TVector x = TLanes.Broadcast(a[12]);
                ccl = TLanes.MultiplyAdd(x, l, ccl);
                if (TColumns.Value > 1)
                    ccr = TLanes.MultiplyAdd(x, r, ccr);
            }
            if (TRows.Value > 13)
            {
                TVector x = TLanes.Broadcast(a[13]);
                cdl = TLanes.MultiplyAdd(x, l, cdl);
                if (TColumns.Value > 1)
                    cdr = TLanes.MultiplyAdd(x, r, cdr);
            }
            a += aStep;
            b += bStep;
        }
        Finish(c0l, c0r, c, bias, accumulate);
        if (TRows.Value > 1)
            Finish(c1l, c1r, c + 1 * cStep, bias, accumulate);
        if (TRows.Value > 2)
            Finish(c2l, c2r, c + 2 * cStep, bias, accumulate);
        if (TRows.Value > 3)
            Finish(c3l, c3r, c + 3 * cStep, bias, accumulate);
        if (TRows.Value > 4)
            Finish(c4l, c4r, c + 4 * cStep, bias, accumulate);
        if (TRows.Value > 5)
            Finish(c5l, c5r, c + 5 * cStep, bias, accumulate);
        if (TRows.Value > 6)
            Finish(c6l, c6r, c + 6 * cStep, bias, accumulate);
        if (TRows.Value > 7)
            Finish(c7l, c7r, c + 7 * cStep, bias, accumulate);
        if (TRows.Value > 8)
            Finish(c8l, c8r, c + 8 * cStep, bias, accumulate);
        if (TRows.Value > 9)
            Finish(c9l, c9r, c + 9 * cStep, bias, accumulate);
        if (TRows.Value > 10)
            Finish(cal, car, c + 10 * cStep, bias, accumulate);
        if (TRows.Value > 11)
            Finish(cbl, cbr, c + 11 * cStep, bias, accumulate);
        if (TRows.Value > 12)
            Finish(ccl, ccr, c + 12 * cStep, bias, accumulate);
        if (TRows.Value > 13)
            Finish(cdl, cdr, c + 13 * cStep, bias, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TVector l, TVector r, float* c, float* bias, bool accumulate)
    {
        if (accumulate)
        {
            l = TLanes.Add(l, TLanes.Load(c));
            if (TColumns.Value > 1)
                r = TLanes.Add(r, TLanes.Load(c + TLanes.Count));
        }
        if (bias != null)
        {
            l = TLanes.Add(l, TLanes.Load(bias));
            if (TColumns.Value > 1)
                r = TLanes.Add(r, TLanes.Load(bias + TLanes.Count));
        }
        TLanes.Store(l, c);
        if (TColumns.Value > 1)
            TLanes.Store(r, c + TLanes.Count);
    }
}
