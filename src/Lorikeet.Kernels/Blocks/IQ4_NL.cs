using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 18 bytes: f16 scale <c>d</c>, 16 bytes of indices into a fixed table of sixteen levels. <c>w = d * level[q]</c>.</summary>
internal static unsafe class IQ4_NL
{
    /// <summary>The sixteen levels, closer together around zero; shared with <see cref="IQ4_XS"/>.</summary>
    internal static Vector128<sbyte> Levels => Vector128.Create((sbyte)-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 18, y += 32)
        {
            float d = F16.ToSingle(*(ushort*)block);
            Vector128<byte> packed = Vector128.Load(block + 2);
            Codes.Scale(Vector128.Shuffle(Levels, Codes.LowNibbles(packed).AsSByte()), d, y);
            Codes.Scale(Vector128.Shuffle(Levels, Codes.HighNibbles(packed).AsSByte()), d, y + 16);
        }
    }
}
