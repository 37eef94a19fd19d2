using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 22 bytes: f16 scale <c>d</c>, 32 fifth bits, 16 bytes of lower bits. <c>w = d * (q - 16)</c>.</summary>
internal static unsafe class Q5_0
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        Vector128<sbyte> sixteen = Vector128.Create((sbyte)16);
        for (long b = 0; b < blocks; b++, block += 22, y += 32)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            Vector128<byte> packed = Vector128.Load(block + 6);
            Vector128<byte> low = Codes.LowNibbles(packed) | Codes.WhereBit(((ushort*)block)[1], 16);
            Vector128<byte> high = Codes.HighNibbles(packed) | Codes.WhereBit(((ushort*)block)[2], 16);
            Codes.Scale(low.AsSByte() - sixteen, d, y);
            Codes.Scale(high.AsSByte() - sixteen, d, y + 16);
        }
    }
}
