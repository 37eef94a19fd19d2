using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 136 bytes: f16 <c>d</c>, 16 bits of upper scale bits, 4 bytes of lower scale nibbles, 128 bytes of indices into <see cref="IQ4_NL.Levels"/>.
/// <c>w = d * (scale - 32) * level[q]</c> for 8 groups of 32.
/// </summary>
internal static unsafe class IQ4_XS
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 136)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            int upper = ((ushort*)block)[1];
            for (int group = 0; group < 8; group++, y += 32)
            {
                int scale = block[4 + (group >> 1)] >> 4 * (group & 1) & 15 | (upper >> 2 * group & 3) << 4;
                float s = d * (scale - 32);
                Vector128<byte> packed = Vector128.Load(block + 8 + 16 * group);
                Codes.Scale(Vector128.Shuffle(IQ4_NL.Levels, Codes.LowNibbles(packed).AsSByte()), s, y);
                Codes.Scale(Vector128.Shuffle(IQ4_NL.Levels, Codes.HighNibbles(packed).AsSByte()), s, y + 16);
            }
        }
    }

    /// <summary>Packs whole blocks: the scale of each group by least squares over a range of roundings, then to six bits.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        float* scales = stackalloc float[8];
        for (long b = 0; b < blocks; b++, block += 136, x += 256)
        {
            for (int group = 0; group < 8; group++)
                scales[group] = ScaleSearch.Levels(x + 32 * group, 32);
            ushort half = Rounding.ToScale(Rounding.Farthest(scales, 8) / -32);
            ((ushort*)block)[0] = half;
            float d = F16.ToSingle(half);
            int upper = 0;
            for (int group = 0; group < 8; group++)
            {
                int scale = Rounding.Code(scales[group], d, -32, 31);
                upper |= scale + 32 >> 4 << 2 * group;
                int shift = 4 * (group & 1);
                block[4 + (group >> 1)] = (byte)((shift == 0 ? 0 : block[4 + (group >> 1)]) | (scale + 32 & 15) << shift);
                IQ4_NL.Encode(x + 32 * group, d * scale, block + 8 + 16 * group);
            }
            ((ushort*)block)[1] = (ushort)upper;
        }
    }
}
