using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>256 ternary weights in 66 bytes: 64 bytes of four 2-bit codes, f16 scale <c>d</c>. <c>w = d * (q - 1)</c>.</summary>
internal static unsafe class TQ2_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector128<sbyte> one = Vector128.Create((sbyte)1);
        for (long b = 0; b < blocks; b++, block += 66)
        {
            float d = F16.ToSingle(*(ushort*)(block + 64));
            for (int half = 0; half < 2; half++)
            {
                Vector128<byte> first = Vector128.Load(block + 32 * half), second = Vector128.Load(block + 32 * half + 16);
                for (int shift = 0; shift < 8; shift += 2, y += 32)
                {
                    Codes.Scale(Codes.BitPairs(first, shift).AsSByte() - one, d, y);
                    Codes.Scale(Codes.BitPairs(second, shift).AsSByte() - one, d, y + 16);
                }
            }
        }
    }
}
