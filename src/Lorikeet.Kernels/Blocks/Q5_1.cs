using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 24 bytes: f16 scale <c>d</c>, f16 minimum <c>m</c>, 32 fifth bits, 16 bytes of lower bits. <c>w = d * q + m</c>.</summary>
internal static unsafe class Q5_1
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 24, y += 32)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            float m = F16.ToSingle(((ushort*)block)[1]);
            Vector128<byte> packed = Vector128.Load(block + 8);
            Codes.ScaleShift(Codes.LowNibbles(packed) | Codes.WhereBit(((ushort*)block)[2], 16), d, m, y);
            Codes.ScaleShift(Codes.HighNibbles(packed) | Codes.WhereBit(((ushort*)block)[3], 16), d, m, y + 16);
        }
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        for (long b = 0; b < blocks; b++, block += 24, x += 32)
        {
            (float least, float most) = Rounding.Range(x, 32);
            float d = (most - least) / 31, inverse = d != 0 ? 1 / d : 0;
            ((ushort*)block)[0] = Rounding.ToHalf(d);
            ((ushort*)block)[1] = Rounding.ToHalf(least);
            uint fifth = 0;
            for (int i = 0; i < 16; i++)
            {
                int low = (int)((x[i] - least) * inverse + 0.5f), high = (int)((x[i + 16] - least) * inverse + 0.5f);
                block[8 + i] = (byte)(low & 15 | (high & 15) << 4);
                fifth |= (uint)(low >> 4 & 1) << i | (uint)(high >> 4 & 1) << (i + 16);
            }
            Unsafe.WriteUnaligned(block + 4, fifth);
        }
    }
}
