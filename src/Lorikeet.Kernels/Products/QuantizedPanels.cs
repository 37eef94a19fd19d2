using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>Weights in the panels of <see cref="PanelLayout"/>: no code or scale is changed, only moved.</summary>
public unsafe struct QuantizedPanels
{
    private GemmOperand _from;
    private PanelLayout _layout;
    private byte* _to;
    private int _n, _k;

    /// <summary>True where weights of a type can be interleaved, and <see cref="GemmPrecision.Int8"/> multiplies their codes.</summary>
    public static bool Fits(DType type, int k) => PanelLayout.Exists(type) && k > 0 && k % type.BlockSize() == 0;

    /// <summary>Bytes of n rows of k weights in panels.</summary>
    public static long Bytes(DType type, int n, int k) => (long)PanelLayout.Of(type).PanelBytes(k) * ((n + PanelLayout.Columns - 1) / PanelLayout.Columns);

    /// <summary>Interleaves whole weights on all threads.</summary>
    /// <param name="weights"><c>[n, k]</c>, not transposed.</param>
    /// <param name="n">Rows.</param>
    /// <param name="k">Columns, whole blocks.</param>
    /// <param name="to">Receives <see cref="Bytes"/>, aligned to a cache line for speed.</param>
    public static void Interleave(in GemmOperand weights, int n, int k, byte* to)
    {
        QuantizedPanels panels = new() { _from = weights, _layout = PanelLayout.Of(weights.Type), _to = to, _n = n, _k = k };
        ComputePool.Run(&Part, &panels, (n + PanelLayout.Columns - 1) / PanelLayout.Columns);
    }

    private static void Part(void* context, int panel)
    {
        var panels = (QuantizedPanels*)context;
        int row = panel * PanelLayout.Columns, k = panels->_k;
        Pack(panels->_from, row, Math.Min(PanelLayout.Columns, panels->_n - row), 0, k, panels->_to + panel * panels->_layout.PanelBytes(k));
    }

    /// <summary>Packs one panel.</summary>
    /// <param name="x">Weights, not transposed.</param>
    /// <param name="row">First of them: the panel's first column.</param>
    /// <param name="count">Columns that exist, 1 to 32; the others become zero.</param>
    /// <param name="first">First term, at the beginning of a block.</param>
    /// <param name="terms">Whole blocks.</param>
    /// <param name="to">The panel.</param>
    internal static void Pack(in GemmOperand x, long row, int count, int first, int terms, byte* to)
    {
        DType type = x.Type;
        PanelLayout layout = PanelLayout.Of(type);
        if (layout.ByRows)
        {
            Rows(x, row, count, first, terms, to);
            return;
        }
        if (count < PanelLayout.Columns)
            Unsafe.InitBlockUnaligned(to, 0, (uint)layout.Bytes(terms));
        nint whole = layout.Bytes(type.BlockSize());
        for (int p = 0; p < terms; p += type.BlockSize(), to += whole)
        {
            nint at = (first + p) / type.BlockSize() * type.BlockBytes();
            int j = 0;
            for (; j <= count - 4 && type is DType.Q4_0 or DType.Q4_1 or DType.Q8_0; j += 4)
                Columns4(type, x.Row(row + j) + at, x.Row(row + j + 1) + at, x.Row(row + j + 2) + at, x.Row(row + j + 3) + at, j, to);
            for (; j < count; j++)
                Column(type, x.Row(row + j) + at, j, to);
        }
    }

    /// <summary>Packs terms of rows that have one scale each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    private static void Rows(in GemmOperand x, long row, int count, int first, int terms, byte* to)
    {
        const int columns = PanelLayout.Columns, stored = 64, bytes = 68;
        byte* nothing = stackalloc byte[bytes];
        Unsafe.InitBlockUnaligned(nothing, 0, bytes);
        byte** rows = stackalloc byte*[columns];
        float* scales = stackalloc float[columns];
        for (int j = 0; j < columns; j++)
            rows[j] = j < count ? x.Row(row + j) + first / stored * bytes : nothing;
        uint* words = (uint*)to;
        for (int p = 0; p < terms; p += stored, words += stored / 4 * columns)
        {
            for (int j = 0; j < columns; j += 4)
            {
                for (int i = 4; i < bytes; i += 16)
                    Turn4(rows[j] + i, rows[j + 1] + i, rows[j + 2] + i, rows[j + 3] + i, 0x80808080, words + (i - 4) / 4 * columns + j);
            }
            for (int j = 0; j < columns; j++)
            {
                scales[j] = *(float*)rows[j] / 127;
                rows[j] += j < count ? bytes : 0;
            }
        }
        Unsafe.CopyBlockUnaligned(words, scales, columns * sizeof(float));
    }

    /// <summary>Moves a block of each of four columns whose codes lie in the order of their terms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns4(DType type, byte* b0, byte* b1, byte* b2, byte* b3, int column, byte* to)
    {
        const int columns = PanelLayout.Columns;
        int scales = type == DType.Q4_1 ? 4 : 2;
        uint flip = type == DType.Q8_0 ? 0x80808080 : 0;
        uint* words = (uint*)to + column;
        Turn4(b0 + scales, b1 + scales, b2 + scales, b3 + scales, flip, words);
        words += 4 * columns;
        if (type == DType.Q8_0)
        {
            Turn4(b0 + scales + 16, b1 + scales + 16, b2 + scales + 16, b3 + scales + 16, flip, words);
            words += 4 * columns;
        }
        ushort* tail = (ushort*)(words - column) + column;
        *(ulong*)tail = Halves(b0, b1, b2, b3);
        // minima are taken away: the format adds its own
        if (type == DType.Q4_1)
            *(ulong*)(tail + columns) = Halves(b0 + 2, b1 + 2, b2 + 2, b3 + 2) ^ 0x8000_8000_8000_8000;
    }

    private static ulong Halves(byte* b0, byte* b1, byte* b2, byte* b3) => *(ushort*)b0 | (ulong)*(ushort*)b1 << 16 | (ulong)*(ushort*)b2 << 32 | (ulong)*(ushort*)b3 << 48;

    /// <summary>Four words of each of four columns, turned in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn4(byte* r0, byte* r1, byte* r2, byte* r3, uint flip, uint* to)
    {
        const int columns = PanelLayout.Columns;
        Vector128<uint> by = Vector128.Create(flip);
        Vector128<float> a0 = (Vector128.Load(r0).AsUInt32() ^ by).AsSingle(), a1 = (Vector128.Load(r1).AsUInt32() ^ by).AsSingle();
        Vector128<float> a2 = (Vector128.Load(r2).AsUInt32() ^ by).AsSingle(), a3 = (Vector128.Load(r3).AsUInt32() ^ by).AsSingle();
        Vector128<float> even = GemmPack.ZipLow(a0, a2), odd = GemmPack.ZipLow(a1, a3);
        GemmPack.ZipLow(even, odd).AsUInt32().Store(to);
        GemmPack.ZipHigh(even, odd).AsUInt32().Store(to + columns);
        even = GemmPack.ZipHigh(a0, a2);
        odd = GemmPack.ZipHigh(a1, a3);
        GemmPack.ZipLow(even, odd).AsUInt32().Store(to + 2 * columns);
        GemmPack.ZipHigh(even, odd).AsUInt32().Store(to + 3 * columns);
    }

    /// <summary>Gives each code of a panel's units a byte of its own and each scale a single, so that many rows find them unpacked.</summary>
    /// <param name="layout">Two codes to a byte.</param>
    /// <param name="from">Whole blocks of a panel.</param>
    /// <param name="units">Units of 32 terms.</param>
    /// <param name="to">The same in the widened layout.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Widen(PanelLayout layout, byte* from, int units, byte* to)
    {
        const int word = 4 * PanelLayout.Columns;
        PanelLayout widened = layout.Widened;
        byte* head = from;
        Vector256<byte> low = Vector256.Create((byte)15), upper = Vector256.Create((byte)0x30);
        for (int unit = 0; unit < units; unit++, from += layout.UnitBytes, to += widened.UnitBytes)
        {
            if (layout.HeadBytes > 0 && unit % layout.Units == 0)
            {
                head = from;
                from += layout.HeadBytes;
            }
            int half = layout.SixBits ? 2 : 4;
            for (int group = 0; group < layout.Scales; group++)
            {
                for (int at = 0; at < word * half; at += 32)
                {
                    byte* codes = to + 2 * half * word * group + at;
                    Vector256<byte> both = Vector256.Load(from + half * word * group + at);
                    Vector256<byte> first = both & low, second = both >>> 4;
                    if (layout.SixBits)
                    {
                        // a word of upper bits serves four words of codes
                        Vector256<ushort> bits = Vector256.Load(from + (4 + group) * word + at % word).AsUInt16();
                        first |= (at < word ? bits << 4 : bits << 2).AsByte() & upper;
                        second |= (at < word ? bits : bits >>> 2).AsByte() & upper;
                    }
                    first.Store(codes);
                    second.Store(codes + half * word);
                }
            }
            for (int i = 0; i < widened.SinglesOfUnit; i++)
            {
                float* singles = (float*)(to + (8 + i) * word);
                bool minimum = i == layout.Scales;
                for (int j = 0; j < PanelLayout.Columns; j += Vector256<float>.Count)
                    Scales(layout, from, head, unit % layout.Units, minimum ? 0 : i, minimum, j).Store(singles + j);
            }
        }
    }

    /// <summary>Scales or minima of eight columns in a unit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scales(PanelLayout layout, byte* unit, byte* head, int inside, int group, bool minimum, int column)
    {
        const int columns = PanelLayout.Columns;
        if (layout.HeadBytes == 0)
            return Halves8((ushort*)(unit + 4 * columns * layout.CodeWords) + (minimum ? columns : 0) + column);
        Vector128<byte> scales = Vector128.CreateScalar(*(ulong*)(head + ((layout.HasMinimum ? 4 : 2) + 2 * inside + (minimum ? 1 : group)) * columns + column)).AsByte();
        Vector256<int> whole = layout.Scales == 2
            ? Vector256.WidenLower(Vector128.WidenLower(scales.AsSByte()).ToVector256Unsafe())
            : Vector256.WidenLower(Vector128.WidenLower(scales).ToVector256Unsafe()).AsInt32();
        return Vector256.ConvertToSingle(whole) * Halves8((ushort*)head + (minimum ? columns : 0) + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves8(ushort* x) => F16.ToSingle(Vector256.WidenLower(Vector128.Load(x).ToVector256Unsafe()));

    /// <summary>Moves one block into its column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Column(DType type, byte* block, int column, byte* to)
    {
        const int columns = PanelLayout.Columns;
        uint* words = (uint*)to + column;
        ushort* tail;
        switch (type)
        {
            case DType.Q4_0:
                for (int i = 0; i < 4; i++)
                    words[i * columns] = ((ushort*)block)[2 * i + 1] | (uint)((ushort*)block)[2 * i + 2] << 16;
                tail = (ushort*)(to + 4 * 4 * columns) + column;
                tail[0] = *(ushort*)block;
                break;
            case DType.Q4_1:
                for (int i = 0; i < 4; i++)
                    words[i * columns] = ((uint*)block)[i + 1];
                tail = (ushort*)(to + 4 * 4 * columns) + column;
                tail[0] = ((ushort*)block)[0];
                // minima are taken away: the format adds its own
                tail[columns] = (ushort)(((ushort*)block)[1] ^ 0x8000);
                break;
            case DType.Q8_0:
                for (int i = 0; i < 8; i++)
                    words[i * columns] = (((ushort*)block)[2 * i + 1] | (uint)((ushort*)block)[2 * i + 2] << 16) ^ 0x80808080;
                tail = (ushort*)(to + 8 * 4 * columns) + column;
                tail[0] = *(ushort*)block;
                break;
            case DType.Q4_K:
                Column4(block, column, to);
                break;
            default:
                Column6(block, column, to);
                break;
        }
    }

    /// <summary>Head: d, then dmin, of all columns; then scale and minimum of each unit in a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Column4(byte* block, int column, byte* to)
    {
        const int columns = PanelLayout.Columns;
        ((ushort*)to)[column] = ((ushort*)block)[0];
        ((ushort*)to)[columns + column] = ((ushort*)block)[1];
        uint* words = (uint*)(to + (4 + 8 * 2) * columns) + column;
        for (int group = 0; group < 8; group++, words += 4 * columns)
        {
            Q4_K.ScaleAndMinimum(block + 4, group, out int scale, out int minimum);
            to[(4 + 2 * group) * columns + column] = (byte)scale;
            to[(5 + 2 * group) * columns + column] = (byte)minimum;
            uint* pair = (uint*)(block + 16 + 32 * (group / 2));
            for (int i = 0; i < 4; i++)
            {
                uint low = pair[i], high = pair[4 + i];
                words[i * columns] = group % 2 == 0 ? low & 0x0F0F0F0F | (high & 0x0F0F0F0F) << 4 : low >> 4 & 0x0F0F0F0F | high & 0xF0F0F0F0;
            }
        }
    }

    /// <summary>
    /// Head: d of all columns; then both scales of each unit. A unit's lower nibbles are two words for each 16 terms (the terms from 8 on in the upper
    /// nibbles), its upper bits one word (terms 0 to 3 in the lowest bits).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Column6(byte* block, int column, byte* to)
    {
        const int columns = PanelLayout.Columns;
        ((ushort*)to)[column] = *(ushort*)(block + 208);
        for (int group = 0; group < 16; group++)
            to[(2 + group) * columns + column] = block[192 + group];
        uint* words = (uint*)(to + (2 + 8 * 2) * columns) + column;
        uint* codes = stackalloc uint[64];
        for (int half = 0; half < 2; half++)
        {
            for (int i = 0; i < 8; i++)
            {
                uint a = ((uint*)(block + 64 * half))[i], b = ((uint*)(block + 64 * half + 32))[i], upper = ((uint*)(block + 128 + 32 * half))[i];
                uint* at = codes + 32 * half + i;
                at[0] = a & 0x0F0F0F0F | (upper & 0x03030303) << 4;
                at[8] = b & 0x0F0F0F0F | (upper >> 2 & 0x03030303) << 4;
                at[16] = a >> 4 & 0x0F0F0F0F | (upper >> 4 & 0x03030303) << 4;
                at[24] = b >> 4 & 0x0F0F0F0F | (upper >> 6 & 0x03030303) << 4;
            }
        }
        for (int unit = 0; unit < 8; unit++, words += 6 * columns, codes += 8)
        {
            for (int group = 0; group < 2; group++)
            {
                uint* q = codes + 4 * group;
                for (int i = 0; i < 2; i++)
                    words[(2 * group + i) * columns] = q[i] & 0x0F0F0F0F | (q[2 + i] & 0x0F0F0F0F) << 4;
                words[(4 + group) * columns] = q[0] >> 4 & 0x03030303 | (q[1] >> 4 & 0x03030303) << 2 | (q[2] >> 4 & 0x03030303) << 4 | (q[3] >> 4 & 0x03030303) << 6;
            }
        }
    }
}
