using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// 64 weights in 36 bytes: f32 magnitude <c>m</c>, then twice 16 bytes that hold 32 indices, the first 16 in the lower nibbles.
/// <c>w = level[q] * m</c>, rounded once.
/// </summary>
internal static unsafe class Levels16
{
    /// <summary>Weights of a block.</summary>
    public const int Block = 64;

    /// <summary>Bytes of a block.</summary>
    public const int Bytes = 36;

    /// <summary>Unpacks whole blocks.</summary>
    public static void Dequantize(float* levels, byte* block, long blocks, float* y) => Dequantize(levels, block, Bytes, block + sizeof(float), Bytes, blocks, y);

    /// <summary>Unpacks blocks whose magnitudes and indices lie apart, each a number of bytes from the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(float* levels, byte* magnitudes, nint magnitudeStep, byte* indices, nint indexStep, long blocks, float* y)
    {
        if (Avx512F.IsSupported)
            Wide(levels, magnitudes, magnitudeStep, indices, indexStep, blocks, y);
        else if (Avx2.IsSupported)
            Middle(levels, magnitudes, magnitudeStep, indices, indexStep, blocks, y);
        else
            Narrow(levels, magnitudes, magnitudeStep, indices, indexStep, blocks, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide(float* levels, byte* magnitudes, nint magnitudeStep, byte* indices, nint indexStep, long blocks, float* y)
    {
        Vector512<float> table = Vector512.Load(levels);
        for (; blocks > 0; blocks--, magnitudes += magnitudeStep, indices += indexStep, y += Block)
        {
            Vector512<float> magnitude = Vector512.Create(*(float*)magnitudes);
            // a permutation looks at four bits of each index only
            Vector512<int> q = Avx512F.ConvertToVector512Int32(Vector128.Load(indices)), r = Avx512F.ConvertToVector512Int32(Vector128.Load(indices + 16));
            (Avx512F.PermuteVar16x32(table, q) * magnitude).Store(y);
            (Avx512F.PermuteVar16x32(table, q >>> 4) * magnitude).Store(y + 16);
            (Avx512F.PermuteVar16x32(table, r) * magnitude).Store(y + 32);
            (Avx512F.PermuteVar16x32(table, r >>> 4) * magnitude).Store(y + 48);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Middle(float* levels, byte* magnitudes, nint magnitudeStep, byte* indices, nint indexStep, long blocks, float* y)
    {
        Vector256<float> low = Vector256.Load(levels), high = Vector256.Load(levels + 8);
        for (; blocks > 0; blocks--, magnitudes += magnitudeStep, indices += indexStep)
        {
            Vector256<float> magnitude = Vector256.Create(*(float*)magnitudes);
            for (int half = 0; half < 2; half++, y += 32)
            {
                Vector256<int> q = Avx2.ConvertToVector256Int32(indices + 16 * half), r = Avx2.ConvertToVector256Int32(indices + 8 + 16 * half);
                (Look(low, high, q) * magnitude).Store(y);
                (Look(low, high, r) * magnitude).Store(y + 8);
                (Look(low, high, q >>> 4) * magnitude).Store(y + 16);
                (Look(low, high, r >>> 4) * magnitude).Store(y + 24);
            }
        }
    }

    // a permutation looks at three bits of each index, a blend at the sign: the fourth bit moved there
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Look(Vector256<float> low, Vector256<float> high, Vector256<int> index) =>
        Avx.BlendVariable(Avx2.PermuteVar8x32(low, index), Avx2.PermuteVar8x32(high, index), (index << 28).AsSingle());

    /// <summary>The four bytes of the levels are looked up apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(float* levels, byte* magnitudes, nint magnitudeStep, byte* indices, nint indexStep, long blocks, float* y)
    {
        byte* planes = stackalloc byte[64];
        for (int i = 0; i < 64; i++)
            planes[i] = ((byte*)levels)[i % 16 * 4 + i / 16];
        Vector128<byte> p0 = Vector128.Load(planes), p1 = Vector128.Load(planes + 16), p2 = Vector128.Load(planes + 32), p3 = Vector128.Load(planes + 48);
        for (; blocks > 0; blocks--, magnitudes += magnitudeStep, indices += indexStep)
        {
            Vector128<float> magnitude = Vector128.Create(*(float*)magnitudes);
            for (int quarter = 0; quarter < 4; quarter++, y += 16)
            {
                Vector128<byte> packed = Vector128.Load(indices + quarter / 2 * 16);
                Vector128<byte> q = quarter % 2 == 0 ? Codes.LowNibbles(packed) : Codes.HighNibbles(packed);
                Vector128<byte> b0 = Vector128.Shuffle(p0, q), b1 = Vector128.Shuffle(p1, q), b2 = Vector128.Shuffle(p2, q), b3 = Vector128.Shuffle(p3, q);
                Vector128<ushort> low = Vector128.WidenLower(b0) | Vector128.WidenLower(b1) << 8, high = Vector128.WidenLower(b2) | Vector128.WidenLower(b3) << 8;
                Join(low, high, magnitude, y);
                low = Vector128.WidenUpper(b0) | Vector128.WidenUpper(b1) << 8;
                high = Vector128.WidenUpper(b2) | Vector128.WidenUpper(b3) << 8;
                Join(low, high, magnitude, y + 8);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join(Vector128<ushort> low, Vector128<ushort> high, Vector128<float> magnitude, float* y)
    {
        ((Vector128.WidenLower(low) | Vector128.WidenLower(high) << 16).AsSingle() * magnitude).Store(y);
        ((Vector128.WidenUpper(low) | Vector128.WidenUpper(high) << 16).AsSingle() * magnitude).Store(y + 4);
    }
}
