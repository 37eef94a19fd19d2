using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>256 ternary weights in 66 bytes: 64 bytes of four 2-bit codes, f16 scale <c>d</c>. <c>w = d * (q - 1)</c>.</summary>
internal static unsafe class TQ2_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector128<sbyte> one = Vector128.Create((sbyte)1);
        for (long b = 0; b < blocks; b++, block += 66)
        {
            float d = F16.ToSingle(*(ushort*)(block + 64));
            for (int half = 0; half < 2; half++)
            {
                Vector128<byte> first = Vector128.Load(block + 32 * half), second = Vector128.Load(block + 32 * half + 16);
                for (int shift = 0; shift < 8; shift += 2, y += 32)
                {
                    Codes.Scale(Codes.BitPairs(first, shift).AsSByte() - one, d, y);
                    Codes.Scale(Codes.BitPairs(second, shift).AsSByte() - one, d, y + 16);
                }
            }
        }
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 66, x += 256)
        {
            *(ushort*)(block + 64) = Encode(x, codes);
            Q2_K.PackPairs(codes, block);
        }
    }

    /// <summary>The scale of 256 numbers, which is the greatest magnitude, and for each the code 0, 1 or 2 of -1, 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static ushort Encode(float* x, byte* codes)
    {
        float d = Math.Abs(Rounding.Farthest(x, 256));
        Vector256<float> inverse = Vector256.Create(d < 1.1754944e-38f ? 0 : 1 / d), half = Vector256.Create(0.5f);
        Vector256<int> one = Vector256<int>.One;
        for (int i = 0; i < 256; i += 16)
            Rounding.Narrow(Code(x + i), Code(x + i + 8)).Store(codes + i);
        return Rounding.ToScale(d);

        // halves are rounded away from zero
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector256<int> Code(float* from)
        {
            Vector256<float> v = Vector256.Load(from) * inverse;
            return one - Vector256.GreaterThanOrEqual(v, half).AsInt32() + Vector256.LessThanOrEqual(v, -half).AsInt32();
        }
    }
}
