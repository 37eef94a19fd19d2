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
}
