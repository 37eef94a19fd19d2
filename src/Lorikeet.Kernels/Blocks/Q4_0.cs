using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 18 bytes: f16 scale <c>d</c>, 16 bytes of codes (first half in the lower nibbles). <c>w = d * (q - 8)</c>.</summary>
internal static unsafe class Q4_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector128<sbyte> eight = Vector128.Create((sbyte)8);
        for (long b = 0; b < blocks; b++, block += 18, y += 32)
        {
            float d = F16.ToSingle(*(ushort*)block);
            Vector128<byte> packed = Vector128.Load(block + 2);
            Codes.Scale(Codes.LowNibbles(packed).AsSByte() - eight, d, y);
            Codes.Scale(Codes.HighNibbles(packed).AsSByte() - eight, d, y + 16);
        }
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        for (long b = 0; b < blocks; b++, block += 18, x += 32)
        {
            float d = Rounding.Farthest(x, 32) / -8, inverse = d != 0 ? 1 / d : 0;
            *(ushort*)block = Rounding.ToHalf(d);
            for (int i = 0; i < 16; i++)
            {
                int low = Math.Min(15, (int)(x[i] * inverse + 8.5f)), high = Math.Min(15, (int)(x[i + 16] * inverse + 8.5f));
                block[2 + i] = (byte)(low | high << 4);
            }
        }
    }
}
