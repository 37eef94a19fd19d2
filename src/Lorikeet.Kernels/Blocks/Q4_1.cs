using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 20 bytes: f16 scale <c>d</c>, f16 minimum <c>m</c>, 16 bytes of codes. <c>w = d * q + m</c>.</summary>
internal static unsafe class Q4_1
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 20, y += 32)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            float m = F16.ToSingle(((ushort*)block)[1]);
            Vector128<byte> packed = Vector128.Load(block + 4);
            Codes.ScaleShift(Codes.LowNibbles(packed), d, m, y);
            Codes.ScaleShift(Codes.HighNibbles(packed), d, m, y + 16);
        }
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        for (long b = 0; b < blocks; b++, block += 20, x += 32)
        {
            (float least, float most) = Rounding.Range(x, 32);
            float d = (most - least) / 15, inverse = d != 0 ? 1 / d : 0;
            ((ushort*)block)[0] = Rounding.ToHalf(d);
            ((ushort*)block)[1] = Rounding.ToHalf(least);
            for (int i = 0; i < 16; i++)
            {
                int low = Math.Min(15, (int)((x[i] - least) * inverse + 0.5f)), high = Math.Min(15, (int)((x[i + 16] - least) * inverse + 0.5f));
                block[4 + i] = (byte)(low | high << 4);
            }
        }
    }
}
