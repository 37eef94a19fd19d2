using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 144 bytes: f16 <c>d</c>, f16 <c>dmin</c>, 12 bytes of 6-bit scales and minima of the 8 groups of 32, 128 bytes of codes
/// (two groups share 32 bytes, the first in the lower nibbles). <c>w = d * scale * q - dmin * min</c>.
/// </summary>
internal static unsafe class Q4_K
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 144)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            float dmin = F16.ToSingle(((ushort*)block)[1]);
            byte* codes = block + 16;
            for (int group = 0; group < 8; group += 2, codes += 32, y += 64)
            {
                Vector128<byte> first = Vector128.Load(codes), second = Vector128.Load(codes + 16);
                ScaleAndMinimum(block + 4, group, out int scale, out int minimum);
                float s = d * scale, m = -(dmin * minimum);
                Codes.ScaleShift(Codes.LowNibbles(first), s, m, y);
                Codes.ScaleShift(Codes.LowNibbles(second), s, m, y + 16);
                ScaleAndMinimum(block + 4, group + 1, out scale, out minimum);
                s = d * scale;
                m = -(dmin * minimum);
                Codes.ScaleShift(Codes.HighNibbles(first), s, m, y + 32);
                Codes.ScaleShift(Codes.HighNibbles(second), s, m, y + 48);
            }
        }
    }

    /// <summary>
    /// Scale and minimum of a group from 12 packed bytes: groups 0–3 in the lower six bits of bytes 0–3 and 4–7; groups 4–7 in the nibbles
    /// of bytes 8–11 with their upper two bits on top of the first eight bytes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ScaleAndMinimum(byte* packed, int group, out int scale, out int minimum)
    {
        if (group < 4)
        {
            scale = packed[group] & 63;
            minimum = packed[group + 4] & 63;
        }
        else
        {
            scale = packed[group + 4] & 15 | packed[group - 4] >> 6 << 4;
            minimum = packed[group + 4] >> 4 | packed[group] >> 6 << 4;
        }
    }

    /// <summary>Packs whole blocks: scale and minimum of each group by least squares over a range of roundings, then both to six bits.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 144, x += 256)
        {
            Encode(x, 15, block, codes);
            PackNibbles(codes, block + 16);
        }
    }

    /// <summary>Chooses scales and minima of a block of 256, writes them (16 bytes) and tells the codes from 0 to <paramref name="most"/>.</summary>
    internal static void Encode(float* x, int most, byte* block, byte* codes)
    {
        float* scales = stackalloc float[8], minima = stackalloc float[8];
        int* packedScales = stackalloc int[8], packedMinima = stackalloc int[8];
        float mostScale = 0, mostMinimum = 0;
        for (int group = 0; group < 8; group++)
        {
            (scales[group], minima[group]) = ScaleSearch.Affine(x + 32 * group, 32, most);
            mostScale = Math.Max(mostScale, scales[group]);
            mostMinimum = Math.Max(mostMinimum, minima[group]);
        }
        ushort d = Rounding.ToScale(mostScale / 63), dmin = Rounding.ToScale(mostMinimum / 63);
        ((ushort*)block)[0] = d;
        ((ushort*)block)[1] = dmin;
        float scale = F16.ToSingle(d), minimum = F16.ToSingle(dmin);
        for (int group = 0; group < 8; group++)
        {
            packedScales[group] = Rounding.Code(scales[group], scale, 0, 63);
            packedMinima[group] = Rounding.Code(minima[group], minimum, 0, 63);
            Rounding.Encode(x + 32 * group, 32, scale * packedScales[group], minimum * packedMinima[group], 0, most, codes + 32 * group);
        }
        byte* packed = block + 4;
        for (int group = 0; group < 4; group++)
        {
            packed[group] = (byte)(packedScales[group] | packedScales[group + 4] >> 4 << 6);
            packed[group + 4] = (byte)(packedMinima[group] | packedMinima[group + 4] >> 4 << 6);
            packed[group + 8] = (byte)(packedScales[group + 4] & 15 | (packedMinima[group + 4] & 15) << 4);
        }
    }

    /// <summary>The lower four bits of 256 codes: two groups of 32 share 32 bytes.</summary>
    internal static void PackNibbles(byte* codes, byte* to)
    {
        for (int pair = 0; pair < 4; pair++, codes += 64, to += 32)
        {
            for (int i = 0; i < 32; i++)
                to[i] = (byte)(codes[i] & 15 | codes[i + 32] << 4);
        }
    }
}
