using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 22 bytes: f16 scale <c>d</c>, 32 fifth bits, 16 bytes of lower bits. <c>w = d * (q - 16)</c>.</summary>
internal static unsafe class Q5_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector128<sbyte> sixteen = Vector128.Create((sbyte)16);
        for (long b = 0; b < blocks; b++, block += 22, y += 32)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            Vector128<byte> packed = Vector128.Load(block + 6);
            Vector128<byte> low = Codes.LowNibbles(packed) | Codes.WhereBit(((ushort*)block)[1], 16);
            Vector128<byte> high = Codes.HighNibbles(packed) | Codes.WhereBit(((ushort*)block)[2], 16);
            Codes.Scale(low.AsSByte() - sixteen, d, y);
            Codes.Scale(high.AsSByte() - sixteen, d, y + 16);
        }
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        for (long b = 0; b < blocks; b++, block += 22, x += 32)
        {
            float d = Rounding.Farthest(x, 32) / -16, inverse = d != 0 ? 1 / d : 0;
            *(ushort*)block = Rounding.ToHalf(d);
            uint fifth = 0;
            for (int i = 0; i < 16; i++)
            {
                int low = Math.Min(31, (int)(x[i] * inverse + 16.5f)), high = Math.Min(31, (int)(x[i + 16] * inverse + 16.5f));
                block[6 + i] = (byte)(low & 15 | (high & 15) << 4);
                fifth |= (uint)(low >> 4) << i | (uint)(high >> 4) << (i + 16);
            }
            Unsafe.WriteUnaligned(block + 2, fifth);
        }
    }
}
