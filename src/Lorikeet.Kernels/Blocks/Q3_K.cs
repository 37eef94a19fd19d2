using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 110 bytes: 32 bytes of third bits, 64 bytes of lower 2 bits, 12 bytes of 6-bit scales of the 16 groups, f16 <c>d</c>.
/// <c>w = d * (scale - 32) * (q - 4)</c> with q of three bits.
/// </summary>
internal static unsafe class Q3_K
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        sbyte* scales = stackalloc sbyte[16];
        Vector128<byte> four = Vector128.Create((byte)4);
        for (long b = 0; b < blocks; b++, block += 110)
        {
            float d = F16.ToSingle(*(ushort*)(block + 108));
            Scales(block + 96, scales);
            Vector128<byte> highFirst = Vector128.Load(block), highSecond = Vector128.Load(block + 16);
            for (int run = 0; run < 8; run++, y += 32)
            {
                byte* codes = block + 32 + 32 * (run >> 2);
                int shift = 2 * (run & 3);
                // the third bit says "do not subtract 4"
                Vector128<byte> bit = Vector128.Create((byte)(1 << run));
                Vector128<byte> first = Codes.BitPairs(Vector128.Load(codes), shift) - Vector128.AndNot(four, Vector128.Equals(highFirst & bit, bit));
                Vector128<byte> second = Codes.BitPairs(Vector128.Load(codes + 16), shift) - Vector128.AndNot(four, Vector128.Equals(highSecond & bit, bit));
                Codes.Scale(first.AsSByte(), d * (scales[2 * run] - 32), y);
                Codes.Scale(second.AsSByte(), d * (scales[2 * run + 1] - 32), y + 16);
            }
        }
    }

    /// <summary>Sixteen 6-bit scales of 12 bytes: lower nibbles in the first 8 bytes, upper bit pairs in the last 4.</summary>
    private static void Scales(byte* packed, sbyte* scales)
    {
        const uint Nibble = 0x0F0F0F0F, Pair = 0x03030303;
        uint a = ((uint*)packed)[0], b = ((uint*)packed)[1], high = ((uint*)packed)[2];
        uint* to = (uint*)scales;
        to[0] = (a & Nibble) | (high & Pair) << 4;
        to[1] = (b & Nibble) | (high >> 2 & Pair) << 4;
        to[2] = (a >> 4 & Nibble) | (high >> 4 & Pair) << 4;
        to[3] = (b >> 4 & Nibble) | (high >> 6 & Pair) << 4;
    }

    /// <summary>Packs whole blocks: the scale of each group by least squares over a range of roundings, then to six bits.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        float* scales = stackalloc float[16];
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 110, x += 256)
        {
            for (int group = 0; group < 16; group++)
                scales[group] = ScaleSearch.Signed(x + 16 * group, 16, 4);
            ushort half = Rounding.ToScale(Rounding.Farthest(scales, 16) / -32);
            *(ushort*)(block + 108) = half;
            float d = F16.ToSingle(half);
            byte* packed = block + 96;
            new Span<byte>(packed, 12).Clear();
            for (int group = 0; group < 16; group++)
            {
                int scale = Rounding.Code(scales[group], d, -32, 31);
                packed[group % 8] |= (byte)((scale + 32 & 15) << 4 * (group / 8));
                packed[8 + group % 4] |= (byte)(scale + 32 >> 4 << 2 * (group / 4));
                Rounding.Encode(x + 16 * group, 16, d * scale, 0, -4, 3, codes + 16 * group);
            }
            for (int i = 0; i < 32; i++)
            {
                int third = 0;
                for (int run = 0; run < 8; run++)
                    third |= codes[32 * run + i] >> 2 << run;
                block[i] = (byte)third;
            }
            Q2_K.PackPairs(codes, block + 32);
        }
    }
}
