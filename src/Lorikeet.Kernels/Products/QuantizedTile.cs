using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// The tile of <see cref="Assembled.QuantizedTileAssembler"/> as compiled code, for processors and systems where no code can be assembled: the same
/// integers and the same order of sums, four columns at a time.
/// </summary>
internal static unsafe class QuantizedTile
{
    /// <summary>Rows whose sums stay in registers.</summary>
    public const int MaxRows = 4;

    /// <summary>Runs a tile of some rows.</summary>
    public static void Run(PanelLayout layout, int rows, GemmTileCall* call)
    {
        for (int column = 0; column < PanelLayout.Columns; column += 4)
        {
            switch (rows)
            {
                case 1:
                    Columns<Size1>(layout, column, call);
                    break;
                case 2:
                    Columns<Size2>(layout, column, call);
                    break;
                case 3:
                    Columns<Size3>(layout, column, call);
                    break;
                default:
                    Columns<Size4>(layout, column, call);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<TRows>(PanelLayout layout, int column, GemmTileCall* call)
        where TRows : struct, IGemmSize
    {
        Vector128<float> f0 = default, f1 = default, f2 = default, f3 = default;
        byte* b = (byte*)call->B, head = b;
        int* a = (int*)call->A;
        int rows = TRows.Value, pitch = QuantizedStrips.Pitch(byRows: false) / sizeof(int), steps = 8 / layout.Scales;
        for (nint unit = 0; unit < call->Steps; unit++, b += layout.UnitBytes, a += QuantizedStrips.Words)
        {
            int inside = (int)(unit % layout.Units);
            if (inside == 0)
            {
                head = b;
                b += layout.HeadBytes;
            }
            for (int group = 0; group < layout.Scales; group++)
            {
                Vector128<int> i0 = default, i1 = default, i2 = default, i3 = default;
                for (int step = 0; step < steps; step++)
                {
                    Vector128<sbyte> codes = Unpack(layout, b + 4 * column, group, step);
                    int* x = a + group * steps + step;
                    i0 = Dot(i0, codes, x[0]);
                    if (rows > 1)
                        i1 = Dot(i1, codes, x[pitch]);
                    if (rows > 2)
                        i2 = Dot(i2, codes, x[2 * pitch]);
                    if (rows > 3)
                        i3 = Dot(i3, codes, x[3 * pitch]);
                }
                Vector128<float> scale = Scale(layout, b, head, inside, column, group, minimum: false);
                float* by = (float*)a + QuantizedStrips.ScaleAt;
                f0 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i0), scale * by[0], f0);
                if (rows > 1)
                    f1 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i1), scale * by[pitch], f1);
                if (rows > 2)
                    f2 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i2), scale * by[2 * pitch], f2);
                if (rows > 3)
                    f3 = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(i3), scale * by[3 * pitch], f3);
            }
            if (!layout.HasMinimum)
                continue;
            Vector128<float> minimum = -Scale(layout, b, head, inside, column, 0, minimum: true);
            float* totals = (float*)a + QuantizedStrips.TotalAt;
            f0 = Vector128.FusedMultiplyAdd(minimum, Vector128.Create(totals[0]), f0);
            if (rows > 1)
                f1 = Vector128.FusedMultiplyAdd(minimum, Vector128.Create(totals[pitch]), f1);
            if (rows > 2)
                f2 = Vector128.FusedMultiplyAdd(minimum, Vector128.Create(totals[2 * pitch]), f2);
            if (rows > 3)
                f3 = Vector128.FusedMultiplyAdd(minimum, Vector128.Create(totals[3 * pitch]), f3);
        }
        Store(call, 0, column, f0);
        if (rows > 1)
            Store(call, 1, column, f1);
        if (rows > 2)
            Store(call, 2, column, f2);
        if (rows > 3)
            Store(call, 3, column, f3);
    }

    internal static void Store(GemmTileCall* call, int row, int column, Vector128<float> sum)
    {
        float* c = (float*)((byte*)call->C + row * call->CStep) + column;
        if (call->Accumulate != 0)
            sum += Vector128.Load(c);
        if (call->Bias != null)
            sum += Vector128.Load(call->Bias + column);
        sum.Store(c);
    }

    /// <summary>Four codes of each of four columns, as what they stand for: the offset is taken away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Unpack(PanelLayout layout, byte* b, int group, int step)
    {
        const int word = 4 * PanelLayout.Columns;
        Vector128<byte> codes;
        if (!layout.Nibbles)
        {
            codes = Vector128.Load(b + word * (8 / layout.Scales * group + step));
        }
        else
        {
            int half = layout.SixBits ? 2 : 4;
            codes = Vector128.Load(b + word * (half * group + step % half));
            codes = (step < half ? codes : codes >>> 4) & Vector128.Create((byte)15);
            if (layout.SixBits)
                codes |= (Vector128.Load(b + word * (4 + group)) >>> 2 * step & Vector128.Create((byte)3)) << 4;
        }
        return layout.OffsetShift < 0 ? codes.AsSByte() : codes.AsSByte() - Vector128.Create((byte)(1 << layout.OffsetShift)).AsSByte();
    }

    /// <summary>Adds the product of four codes of each column with four of a row, exactly: magnitudes are at most 128 and 127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<int> Dot(Vector128<int> sum, Vector128<sbyte> codes, int row)
    {
        Vector128<sbyte> x = Vector128.Create(row).AsSByte();
        if (Dp.IsSupported)
            return Dp.DotProduct(sum, codes, x);
        if (Ssse3.IsSupported)
        {
            Vector128<short> pairs = Ssse3.MultiplyAddAdjacent(Ssse3.Abs(codes), Ssse3.Sign(x, codes));
            return sum + Sse2.MultiplyAddAdjacent(pairs, Vector128<short>.One);
        }
        // even and odd bytes as 16-bit integers: their two products together are at most 2 · 128 · 127
        Vector128<short> even = (codes.AsInt16() << 8 >> 8) * (x.AsInt16() << 8 >> 8), odd = (codes.AsInt16() >> 8) * (x.AsInt16() >> 8);
        Vector128<int> both = (even + odd).AsInt32();
        return sum + (both << 16 >> 16) + (both >> 16);
    }

    /// <summary>Scales or minima of a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Scale(PanelLayout layout, byte* unit, byte* head, int inside, int column, int group, bool minimum)
    {
        const int columns = PanelLayout.Columns;
        if (layout.Singles)
            return Vector128.Load((float*)(unit + 4 * columns * layout.CodeWords) + (minimum ? layout.Scales : group) * columns + column);
        if (layout.HeadBytes == 0)
            return Halves((ushort*)(unit + 4 * columns * layout.CodeWords) + (minimum ? columns : 0) + column);
        byte* scales = head + ((layout.HasMinimum ? 4 : 2) + 2 * inside + (minimum ? 1 : group)) * columns + column;
        Vector128<int> whole = layout.Scales == 2
            ? Vector128.Create(((sbyte*)scales)[0], ((sbyte*)scales)[1], ((sbyte*)scales)[2], ((sbyte*)scales)[3])
            : Vector128.Create(scales[0], scales[1], scales[2], (int)scales[3]);
        return Vector128.ConvertToSingle(whole) * Halves((ushort*)head + (minimum ? columns : 0) + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Halves(ushort* x) => F16.ToSingle(Vector128.Create(x[0], x[1], x[2], (uint)x[3]));
}
