using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// The 4-bit formats of bitsandbytes, as its files keep them: indices two to a byte (the first in the upper half) and one f32 magnitude for each
/// block of the row-major flattened matrix. Codes and magnitudes are bit-equal to its own.
/// </summary>
public static unsafe class Bnb4
{
    private const long Part = 1 << 16;

    /// <summary>The smallest magnitude that is divided by.</summary>
    private const float Least = 1e-38f;

    private static readonly float[] MiddlesNF4 = Middles(NF4.Levels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    private static readonly float[] MiddlesFP4 = Middles(FP4.Levels, AscendingFP4);

    // of FP4's indices, by value; both zeros count, the one with the sign behind the other
    private static ReadOnlySpan<byte> AscendingFP4 => [11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3];

    private static ReadOnlySpan<byte> AscendingNF4 => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>True for NF4 and FP4, with and without double quantisation.</summary>
    public static bool Holds(DType type) => type is DType.NF4 or DType.NF4DQ or DType.FP4 or DType.FP4DQ;

    /// <summary>The sixteen levels, by index.</summary>
    /// <exception cref="ArgumentException">The type is none of the four.</exception>
    public static ReadOnlySpan<float> Levels(DType type) => Holds(type)
        ? type is DType.NF4 or DType.NF4DQ ? NF4.Levels : FP4.Levels
        : throw new ArgumentException($"{type} is no 4-bit format of bitsandbytes", nameof(type));

    /// <summary>
    /// Quantises. A block's magnitude is the largest of its absolute values; each value times the magnitude's reciprocal becomes the nearest level, the
    /// lower one of two. A last, shorter block divides instead, and its magnitude is at least 1e-38.
    /// </summary>
    /// <param name="type">NF4 or FP4; how magnitudes are kept makes no difference here.</param>
    /// <param name="x"><paramref name="count"/> singles.</param>
    /// <param name="count">Elements of the flattened matrix.</param>
    /// <param name="block">Elements of a block, even.</param>
    /// <param name="packed">Receives <c>(count + 1) / 2</c> bytes.</param>
    /// <param name="magnitudes">Receives one single for each block begun.</param>
    public static void Quantize(DType type, float* x, long count, int block, byte* packed, float* magnitudes)
    {
        Work work = new() { Type = type, X = x, Count = count, Block = block, Packed = packed, Magnitudes = magnitudes, BlocksOfPart = Math.Max(1, Part / block) };
        long blocks = (count + block - 1) / block;
        ComputePool.Run(&QuantizePart, &work, checked((int)((blocks + work.BlocksOfPart - 1) / work.BlocksOfPart)));
    }

    /// <summary>Reads what <see cref="Quantize"/> wrote, whatever the size of blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(DType type, byte* packed, float* magnitudes, int block, long count, float* y)
    {
        float* levels = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Levels(type)));
        for (long i = 0; i < count; i++)
            y[i] = levels[i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15] * magnitudes[i / block];
    }

    /// <summary>Makes blocks of 64 in memory (<see cref="DType.NF4"/> and kin) from what files hold.</summary>
    /// <param name="packed">Indices, two to a byte.</param>
    /// <param name="magnitudes">One for each <paramref name="block"/> elements.</param>
    /// <param name="block">A multiple of 64.</param>
    /// <param name="count">Elements, a multiple of 64.</param>
    /// <param name="to">Receives <c>count / 64</c> blocks.</param>
    public static void ToBlocks(byte* packed, float* magnitudes, int block, long count, byte* to)
    {
        Work work = new() { Packed = packed, Magnitudes = magnitudes, Block = block, Count = count, Blocks = to, BlocksOfPart = Part / Levels16.Block };
        ComputePool.Run(&ToBlocksPart, &work, checked((int)((count + Part - 1) / Part)));
    }

    /// <summary>Takes blocks of 64 apart into what files hold: <c>count / 2</c> bytes and <c>count / 64</c> magnitudes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromBlocks(byte* blocks, long count, byte* packed, float* magnitudes)
    {
        for (long b = 0; b < count / Levels16.Block; b++, blocks += Levels16.Bytes)
        {
            magnitudes[b] = *(float*)blocks;
            for (int half = 0; half < 2; half++, packed += 16)
            {
                byte* codes = blocks + 4 + 16 * half;
                for (int i = 0; i < 8; i++)
                {
                    packed[i] = (byte)((codes[2 * i] & 15) << 4 | codes[2 * i + 1] & 15);
                    packed[8 + i] = (byte)(codes[2 * i] >> 4 << 4 | codes[2 * i + 1] >> 4);
                }
            }
        }
    }

    /// <summary>The magnitudes of blocks of 64 in memory.</summary>
    public static float[] MagnitudesOf(byte* blocks, long count)
    {
        float[] magnitudes = new float[count / Levels16.Block];
        for (long b = 0; b < magnitudes.Length; b++)
            magnitudes[b] = *(float*)(blocks + b * Levels16.Bytes);
        return magnitudes;
    }

    /// <summary>Makes a tensor of double quantisation.</summary>
    /// <param name="blocks">Its blocks of 64 in memory, as <see cref="DType.NF4"/> or <see cref="DType.FP4"/> has them.</param>
    /// <param name="count">Elements, a multiple of 64.</param>
    /// <param name="nested">What takes the place of their magnitudes.</param>
    /// <param name="to">Receives the tensor; not where the blocks lie.</param>
    public static void Nest(byte* blocks, long count, NestedMagnitudes nested, byte* to) => NestedLevels16.Join(blocks, count / Levels16.Block, nested, to);

    /// <summary>Takes a tensor of double quantisation apart into blocks of 64 with restored magnitudes, and what files hold of these.</summary>
    public static NestedMagnitudes Unnest(byte* tensor, long count, byte* blocks) => NestedLevels16.Split(tensor, count / Levels16.Block, blocks);

    private struct Work
    {
        public DType Type;
        public float* X, Magnitudes;
        public byte* Packed, Blocks;
        public long Count, BlocksOfPart;
        public int Block;
    }

    private static void QuantizePart(void* context, int part)
    {
        Work* work = (Work*)context;
        long first = part * work->BlocksOfPart, last = Math.Min(first + work->BlocksOfPart, (work->Count + work->Block - 1) / work->Block);
        byte* codes = stackalloc byte[Levels16.Block];
        for (long b = first; b < last; b++)
        {
            long at = b * work->Block;
            int length = (int)Math.Min(work->Block, work->Count - at);
            float* x = work->X + at;
            float magnitude = Magnitude(x, length);
            if (length < work->Block)
                magnitude = MathF.Max(magnitude, Least);
            work->Magnitudes[b] = magnitude;
            for (int i = 0; i < length; i += Levels16.Block)
            {
                int n = Math.Min(Levels16.Block, length - i);
                Encode(work->Type, x + i, n, magnitude, divide: length < work->Block, codes);
                byte* packed = work->Packed + (at + i) / 2;
                for (int j = 0; j < n; j += 2)
                    packed[j / 2] = (byte)(codes[j] << 4 | (j + 1 < n ? codes[j + 1] : IndexOfZero(work->Type)));
            }
        }
    }

    /// <summary>Quantises into blocks of 64 in memory.</summary>
    internal static void QuantizeBlocks(DType type, float* x, long blocks, byte* to)
    {
        byte* codes = stackalloc byte[Levels16.Block];
        for (; blocks > 0; blocks--, x += Levels16.Block, to += Levels16.Bytes)
        {
            float magnitude = Magnitude(x, Levels16.Block);
            Encode(type, x, Levels16.Block, magnitude, divide: false, codes);
            *(float*)to = magnitude;
            (Vector128.Load(codes) | Vector128.Load(codes + 16) << 4).Store(to + 4);
            (Vector128.Load(codes + 32) | Vector128.Load(codes + 48) << 4).Store(to + 20);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToBlocksPart(void* context, int part)
    {
        Work* work = (Work*)context;
        long first = part * Part, last = Math.Min(first + Part, work->Count);
        byte* to = work->Blocks + first / Levels16.Block * Levels16.Bytes, packed = work->Packed + first / 2;
        // 32 codes in 16 bytes: the even ones (upper nibbles) go to the even bytes of two halves, which become the two nibbles
        Vector128<byte> spread = Vector128.Create((byte)0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        Vector128<byte> even = Vector128.Create((ushort)0x00FF).AsByte();
        for (long at = first; at < last; at += Levels16.Block, to += Levels16.Bytes, packed += 32)
        {
            *(float*)to = work->Magnitudes[at / work->Block];
            for (int half = 0; half < 2; half++)
            {
                Vector128<byte> from = Vector128.Load(packed + 16 * half), high = Codes.HighNibbles(from), low = Codes.LowNibbles(from);
                Vector128<byte> lower = Vector128.ConditionalSelect(even, Vector128.Shuffle(high, spread), Vector128.Shuffle(low, spread));
                Vector128<byte> upper = Vector128.ConditionalSelect(even, Vector128.Shuffle(high, spread + Vector128.Create((byte)8)), Vector128.Shuffle(low, spread + Vector128.Create((byte)8)));
                (lower | upper << 4).Store(to + 4 + 16 * half);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Magnitude(float* x, int count)
    {
        Vector256<float> most = Vector256<float>.Zero;
        int i = 0;
        for (; i <= count - 8; i += 8)
            most = Vector256.Max(most, Vector256.Abs(Vector256.Load(x + i)));
        float magnitude = 0;
        for (int lane = 0; lane < 8; lane++)
            magnitude = MathF.Max(magnitude, most[lane]);
        for (; i < count; i++)
            magnitude = MathF.Max(magnitude, MathF.Abs(x[i]));
        return magnitude;
    }

    /// <summary>Indices of up to 64 values: how many of the middles between neighbouring levels lie strictly below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Encode(DType type, float* x, int count, float magnitude, bool divide, byte* codes)
    {
        bool normal = type is DType.NF4 or DType.NF4DQ;
        ReadOnlySpan<byte> order = normal ? AscendingNF4 : AscendingFP4;
        float reciprocal = 1 / MathF.Max(magnitude, Least);
        fixed (float* middles = normal ? MiddlesNF4 : MiddlesFP4)
        fixed (byte* index = order)
        {
            int i = 0;
            Vector256<float> by = Vector256.Create(reciprocal);
            for (; i <= count - 8 && !divide; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i) * by;
                Vector256<int> below = Vector256<int>.Zero;
                for (int middle = 0; middle < 15; middle++)
                    below -= Vector256.GreaterThan(v, Vector256.Create(middles[middle])).AsInt32();
                for (int lane = 0; lane < 8; lane++)
                    codes[i + lane] = index[below[lane]];
            }
            for (; i < count; i++)
            {
                float v = divide ? x[i] / magnitude : x[i] * reciprocal;
                int below = 0;
                for (int middle = 0; middle < 15; middle++)
                    below += v > middles[middle] ? 1 : 0;
                codes[i] = index[below];
            }
        }
    }

    private static int IndexOfZero(DType type) => type is DType.NF4 or DType.NF4DQ ? 7 : 0;

    private static float[] Middles(ReadOnlySpan<float> levels, ReadOnlySpan<byte> ascending)
    {
        float[] middles = new float[15];
        for (int i = 0; i < 15; i++)
            middles[i] = (float)(((double)levels[ascending[i]] + levels[ascending[i + 1]]) / 2);
        return middles;
    }
}
