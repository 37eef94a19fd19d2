using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 34 bytes: f16 scale <c>d</c>, 32 signed codes. <c>w = d * q</c>.</summary>
internal static unsafe class Q8_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 34, y += 32)
        {
            float d = F16.ToSingle(*(ushort*)block);
            Codes.Scale(Vector128.Load((sbyte*)block + 2), d, y);
            Codes.Scale(Vector128.Load((sbyte*)block + 18), d, y + 16);
        }
    }

    /// <summary>Packs whole blocks, to the same bytes as ggml's scalar code.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        for (long b = 0; b < blocks; b++, block += 34, x += 32)
        {
            float d = Math.Abs(Rounding.Farthest(x, 32)) / 127, inverse = d != 0 ? 1 / d : 0;
            *(ushort*)block = Rounding.ToHalf(d);
            for (int i = 0; i < 32; i++)
                ((sbyte*)block)[2 + i] = (sbyte)MathF.Round(x[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }
}
