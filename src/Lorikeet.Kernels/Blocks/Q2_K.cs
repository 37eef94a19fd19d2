using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 84 bytes: 16 bytes of 4-bit scale (low) and minimum (high) of each group of 16, 64 bytes of 2-bit codes, f16 <c>d</c>, f16 <c>dmin</c>.
/// <c>w = d * scale * q - dmin * min</c>. A byte of codes holds the same place of four consecutive runs of 32.
/// </summary>
internal static unsafe class Q2_K
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 84)
        {
            float d = F16.ToSingle(*(ushort*)(block + 80));
            float dmin = F16.ToSingle(*(ushort*)(block + 82));
            byte* scales = block;
            for (int half = 0; half < 2; half++)
            {
                byte* codes = block + 16 + 32 * half;
                Vector128<byte> first = Vector128.Load(codes), second = Vector128.Load(codes + 16);
                for (int shift = 0; shift < 8; shift += 2, scales += 2, y += 32)
                {
                    Codes.ScaleShift(Codes.BitPairs(first, shift), d * (scales[0] & 15), -(dmin * (scales[0] >> 4)), y);
                    Codes.ScaleShift(Codes.BitPairs(second, shift), d * (scales[1] & 15), -(dmin * (scales[1] >> 4)), y + 16);
                }
            }
        }
    }

    /// <summary>Packs whole blocks: scale and minimum of each group by least squares over a range of roundings, then both to four bits.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        float* scales = stackalloc float[16], minima = stackalloc float[16];
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 84, x += 256)
        {
            float mostScale = 0, mostMinimum = 0;
            for (int group = 0; group < 16; group++)
            {
                (scales[group], minima[group]) = ScaleSearch.Affine(x + 16 * group, 16, 3);
                mostScale = Math.Max(mostScale, scales[group]);
                mostMinimum = Math.Max(mostMinimum, minima[group]);
            }
            ushort d = Rounding.ToScale(mostScale / 15), dmin = Rounding.ToScale(mostMinimum / 15);
            *(ushort*)(block + 80) = d;
            *(ushort*)(block + 82) = dmin;
            float scale = F16.ToSingle(d), minimum = F16.ToSingle(dmin);
            for (int group = 0; group < 16; group++)
            {
                int s = Rounding.Code(scales[group], scale, 0, 15), m = Rounding.Code(minima[group], minimum, 0, 15);
                block[group] = (byte)(s | m << 4);
                Rounding.Encode(x + 16 * group, 16, scale * s, minimum * m, 0, 3, codes + 16 * group);
            }
            PackPairs(codes, block + 16);
        }
    }

    /// <summary>The lower two bits of 256 codes: four runs of 32 share 32 bytes.</summary>
    internal static void PackPairs(byte* codes, byte* to)
    {
        for (int half = 0; half < 2; half++, codes += 128, to += 32)
        {
            for (int i = 0; i < 32; i++)
                to[i] = (byte)(codes[i] & 3 | (codes[i + 32] & 3) << 2 | (codes[i + 64] & 3) << 4 | codes[i + 96] << 6);
        }
    }
}
