using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 210 bytes: 128 bytes of lower nibbles, 64 bytes of upper bit pairs, 16 signed scales of groups of 16, f16 <c>d</c>.
/// <c>w = d * scale * (q - 32)</c>.
/// </summary>
internal static unsafe class Q6_K
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector128<sbyte> offset = Vector128.Create((sbyte)32);
        for (long b = 0; b < blocks; b++, block += 210)
        {
            float d = F16.ToSingle(*(ushort*)(block + 208));
            for (int half = 0; half < 2; half++, y += 128)
            {
                sbyte* scales = (sbyte*)block + 192 + 8 * half;
                for (int group = 0; group < 2; group++)
                {
                    byte* lower = block + 64 * half + 16 * group;
                    Vector128<byte> a = Vector128.Load(lower), c = Vector128.Load(lower + 32);
                    Vector128<byte> upper = Vector128.Load(block + 128 + 32 * half + 16 * group);
                    float* to = y + 16 * group;
                    Codes.Scale(Join(Codes.LowNibbles(a), Codes.BitPairs(upper, 0)) - offset, d * scales[group], to);
                    Codes.Scale(Join(Codes.LowNibbles(c), Codes.BitPairs(upper, 2)) - offset, d * scales[group + 2], to + 32);
                    Codes.Scale(Join(Codes.HighNibbles(a), Codes.BitPairs(upper, 4)) - offset, d * scales[group + 4], to + 64);
                    Codes.Scale(Join(Codes.HighNibbles(c), Codes.BitPairs(upper, 6)) - offset, d * scales[group + 6], to + 96);
                }
            }
        }
    }

    private static Vector128<sbyte> Join(Vector128<byte> nibbles, Vector128<byte> pairs) =>
        (nibbles | (pairs.AsUInt16() << 4).AsByte()).AsSByte();

    /// <summary>Packs whole blocks: the scale of each group by least squares over a range of roundings, then to eight bits.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        float* scales = stackalloc float[16];
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 210, x += 256)
        {
            for (int group = 0; group < 16; group++)
                scales[group] = ScaleSearch.Signed(x + 16 * group, 16, 32);
            ushort half = Rounding.ToScale(Rounding.Farthest(scales, 16) / -128);
            *(ushort*)(block + 208) = half;
            float d = F16.ToSingle(half);
            for (int group = 0; group < 16; group++)
            {
                int scale = Rounding.Code(scales[group], d, -128, 127);
                ((sbyte*)block)[192 + group] = (sbyte)scale;
                Rounding.Encode(x + 16 * group, 16, d * scale, 0, -32, 31, codes + 16 * group);
            }
            for (int part = 0; part < 2; part++)
            {
                byte* from = codes + 128 * part;
                for (int i = 0; i < 32; i++)
                {
                    block[64 * part + i] = (byte)(from[i] & 15 | (from[i + 64] & 15) << 4);
                    block[64 * part + 32 + i] = (byte)(from[i + 32] & 15 | (from[i + 96] & 15) << 4);
                    block[128 + 32 * part + i] = (byte)(from[i] >> 4 | from[i + 32] >> 4 << 2 | from[i + 64] >> 4 << 4 | from[i + 96] >> 4 << 6);
                }
            }
        }
    }
}
