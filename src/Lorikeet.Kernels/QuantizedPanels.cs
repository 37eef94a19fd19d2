using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>Unpacks stored weights into the panels of 32 columns that quantised tiles read: codes as unsigned bytes, four terms to a step.</summary>
internal static unsafe class QuantizedPanels
{
    /// <summary>Columns of a panel.</summary>
    public const int Columns = 32;

    /// <summary>Fours of terms that share a scale.</summary>
    public static int Steps(DType type) => type == DType.Q6_K ? 4 : 8;

    /// <summary>True for formats with a minimum of their own; the others have an offset that is the same for all weights.</summary>
    public static bool HasMinimum(DType type) => type == DType.Q4_K;

    /// <summary>Bytes of a panel of so many terms.</summary>
    public static nint Bytes(DType type, int terms) => (nint)(terms / (4 * Steps(type))) * QuantizedTileAssembler.PanelBytes(Steps(type), HasMinimum(type));

    /// <summary>Packs one panel.</summary>
    /// <param name="x">Weights, not transposed.</param>
    /// <param name="row">First of them: the panel's first column.</param>
    /// <param name="count">Columns that exist, 1 to 32; the others become zero.</param>
    /// <param name="first">First term, at the beginning of a block.</param>
    /// <param name="terms">Whole blocks.</param>
    /// <param name="to">The panel.</param>
    /// <param name="codes">Scratch: 32 bytes a column and 256 terms.</param>
    public static void Pack(in GemmOperand x, long row, int count, int first, int terms, byte* to, byte* codes)
    {
        int block = x.Type.BlockSize(), steps = Steps(x.Type), groups = block / (4 * steps);
        int bytes = QuantizedTileAssembler.PanelBytes(steps, HasMinimum(x.Type));
        if (count < Columns)
            new Span<byte>(to, (int)Bytes(x.Type, terms)).Clear();
        if (count < Columns)
            new Span<byte>(codes, Columns * block).Clear();
        for (int p = 0; p < terms; p += block, to += (nint)groups * bytes)
        {
            int at = (first + p) / block * x.Type.BlockBytes();
            float* scales = (float*)(to + 4 * Columns * steps);
            for (int j = 0; j < count; j++)
                Unpack(x.Type, x.Row(row + j) + at, codes + j * block, scales + j, bytes / sizeof(float));
            for (int g = 0; g < groups; g++)
            {
                for (int j = 0; j < Columns; j += 8)
                    Turn(codes + j * block + 4 * steps * g, block, steps, (int*)(to + (nint)g * bytes) + j);
            }
        }
    }

    /// <summary>One block: codes one after another, and the scale (and minimum) of each group, <paramref name="step"/> floats apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unpack(DType type, byte* block, byte* codes, float* scales, int step)
    {
        Vector128<byte> nibble = Vector128.Create((byte)15);
        switch (type)
        {
            case DType.Q4_0:
                *scales = F16.ToSingle(*(ushort*)block);
                Vector128<byte> both = Vector128.Load(block + 2);
                (both & nibble).Store(codes);
                (both >>> 4).Store(codes + 16);
                break;
            case DType.Q8_0:
                *scales = F16.ToSingle(*(ushort*)block);
                (Vector256.Load(block + 2) ^ Vector256.Create((byte)0x80)).Store(codes);
                break;
            case DType.Q4_K:
                float d = F16.ToSingle(((ushort*)block)[0]), dmin = F16.ToSingle(((ushort*)block)[1]);
                for (int group = 0; group < 8; group++, scales += step)
                {
                    Q4_K.ScaleAndMinimum(block + 4, group, out int scale, out int minimum);
                    scales[0] = d * scale;
                    scales[Columns] = dmin * minimum;
                    Vector256<byte> pair = Vector256.Load(block + 16 + 32 * (group / 2));
                    (group % 2 == 0 ? pair & Vector256.Create((byte)15) : pair >>> 4).Store(codes + 32 * group);
                }
                break;
            default:
                float d6 = F16.ToSingle(*(ushort*)(block + 208));
                for (int group = 0; group < 16; group++)
                    scales[group * step] = d6 * ((sbyte*)block)[192 + group];
                for (int half = 0; half < 2; half++)
                {
                    Vector256<byte> a = Vector256.Load(block + 64 * half), b = Vector256.Load(block + 64 * half + 32), upper = Vector256.Load(block + 128 + 32 * half);
                    Vector256<byte> low = Vector256.Create((byte)15), three = Vector256.Create((byte)3);
                    byte* to = codes + 128 * half;
                    (a & low | (upper & three) << 4).Store(to);
                    (b & low | (upper >>> 2 & three) << 4).Store(to + 32);
                    (a >>> 4 | (upper >>> 4 & three) << 4).Store(to + 64);
                    (b >>> 4 | upper >>> 6 << 4).Store(to + 96);
                }
                break;
        }
    }

    /// <summary>Eight columns by four or eight steps of four bytes change places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(byte* from, int stride, int steps, int* to)
    {
        if (steps == 4)
        {
            for (int half = 0; half < 2; half++, from += 4 * stride, to += 4)
            {
                Vector128<int> r0 = Vector128.Load((int*)from), r1 = Vector128.Load((int*)(from + stride)), r2 = Vector128.Load((int*)(from + 2 * stride)), r3 = Vector128.Load((int*)(from + 3 * stride));
                Vector128<long> a0 = Sse2.UnpackLow(r0, r1).AsInt64(), a1 = Sse2.UnpackHigh(r0, r1).AsInt64(), a2 = Sse2.UnpackLow(r2, r3).AsInt64(), a3 = Sse2.UnpackHigh(r2, r3).AsInt64();
                Sse2.UnpackLow(a0, a2).AsInt32().Store(to);
                Sse2.UnpackHigh(a0, a2).AsInt32().Store(to + Columns);
                Sse2.UnpackLow(a1, a3).AsInt32().Store(to + 2 * Columns);
                Sse2.UnpackHigh(a1, a3).AsInt32().Store(to + 3 * Columns);
            }
            return;
        }
        Vector256<int> x0 = Vector256.Load((int*)from), x1 = Vector256.Load((int*)(from + stride)), x2 = Vector256.Load((int*)(from + 2 * stride)), x3 = Vector256.Load((int*)(from + 3 * stride));
        from += 4 * stride;
        Vector256<int> x4 = Vector256.Load((int*)from), x5 = Vector256.Load((int*)(from + stride)), x6 = Vector256.Load((int*)(from + 2 * stride)), x7 = Vector256.Load((int*)(from + 3 * stride));
        Vector256<long> b0 = Avx2.UnpackLow(x0, x1).AsInt64(), b1 = Avx2.UnpackHigh(x0, x1).AsInt64(), b2 = Avx2.UnpackLow(x2, x3).AsInt64(), b3 = Avx2.UnpackHigh(x2, x3).AsInt64();
        Vector256<long> b4 = Avx2.UnpackLow(x4, x5).AsInt64(), b5 = Avx2.UnpackHigh(x4, x5).AsInt64(), b6 = Avx2.UnpackLow(x6, x7).AsInt64(), b7 = Avx2.UnpackHigh(x6, x7).AsInt64();
        Store(Avx2.UnpackLow(b0, b2), Avx2.UnpackLow(b4, b6), to);
        Store(Avx2.UnpackHigh(b0, b2), Avx2.UnpackHigh(b4, b6), to + Columns);
        Store(Avx2.UnpackLow(b1, b3), Avx2.UnpackLow(b5, b7), to + 2 * Columns);
        Store(Avx2.UnpackHigh(b1, b3), Avx2.UnpackHigh(b5, b7), to + 3 * Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<long> left, Vector256<long> right, int* to)
    {
        Avx2.Permute2x128(left, right, 0x20).AsInt32().Store(to);
        Avx2.Permute2x128(left, right, 0x31).AsInt32().Store(to + 4 * Columns);
    }
}
