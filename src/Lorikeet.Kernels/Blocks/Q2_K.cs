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
}
