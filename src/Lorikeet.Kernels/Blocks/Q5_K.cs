using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 176 bytes: f16 <c>d</c>, f16 <c>dmin</c>, 12 bytes of scales and minima as in <see cref="Q4_K"/>, 32 bytes of fifth bits (bit g of byte l
/// belongs to weight l of group g), 128 bytes of lower bits. <c>w = d * scale * q - dmin * min</c>.
/// </summary>
internal static unsafe class Q5_K
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 176)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            float dmin = F16.ToSingle(((ushort*)block)[1]);
            Vector128<byte> fifthFirst = Vector128.Load(block + 16), fifthSecond = Vector128.Load(block + 32);
            byte* codes = block + 48;
            for (int group = 0; group < 8; group += 2, codes += 32, y += 64)
            {
                Vector128<byte> first = Vector128.Load(codes), second = Vector128.Load(codes + 16);
                Q4_K.ScaleAndMinimum(block + 4, group, out int scale, out int minimum);
                float s = d * scale, m = -(dmin * minimum);
                Codes.ScaleShift(Codes.LowNibbles(first) | Sixteen(fifthFirst, group), s, m, y);
                Codes.ScaleShift(Codes.LowNibbles(second) | Sixteen(fifthSecond, group), s, m, y + 16);
                Q4_K.ScaleAndMinimum(block + 4, group + 1, out scale, out minimum);
                s = d * scale;
                m = -(dmin * minimum);
                Codes.ScaleShift(Codes.HighNibbles(first) | Sixteen(fifthFirst, group + 1), s, m, y + 32);
                Codes.ScaleShift(Codes.HighNibbles(second) | Sixteen(fifthSecond, group + 1), s, m, y + 48);
            }
        }
    }

    private static Vector128<byte> Sixteen(Vector128<byte> fifth, int group)
    {
        Vector128<byte> bit = Vector128.Create((byte)(1 << group));
        return Vector128.Equals(fifth & bit, bit) & Vector128.Create((byte)16);
    }

    /// <summary>Packs whole blocks, as <see cref="Q4_K"/> does.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        byte* codes = stackalloc byte[256];
        for (long b = 0; b < blocks; b++, block += 176, x += 256)
        {
            Q4_K.Encode(x, 31, block, codes);
            Q4_K.PackNibbles(codes, block + 48);
            for (int i = 0; i < 32; i++)
            {
                int fifth = 0;
                for (int group = 0; group < 8; group++)
                    fifth |= codes[32 * group + i] >> 4 << group;
                block[16 + i] = (byte)fifth;
            }
        }
    }
}
