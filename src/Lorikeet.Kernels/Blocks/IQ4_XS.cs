using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// 256 weights in 136 bytes: f16 <c>d</c>, 16 bits of upper scale bits, 4 bytes of lower scale nibbles, 128 bytes of indices into <see cref="IQ4_NL.Levels"/>.
/// <c>w = d * (scale - 32) * level[q]</c> for 8 groups of 32.
/// </summary>
internal static unsafe class IQ4_XS
{
    /// <summary>Unpacks whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* block, long blocks, float* y)
    {
        for (long b = 0; b < blocks; b++, block += 136)
        {
            float d = F16.ToSingle(((ushort*)block)[0]);
            int upper = ((ushort*)block)[1];
            for (int group = 0; group < 8; group++, y += 32)
            {
                int scale = block[4 + (group >> 1)] >> 4 * (group & 1) & 15 | (upper >> 2 * group & 3) << 4;
                float s = d * (scale - 32);
                Vector128<byte> packed = Vector128.Load(block + 8 + 16 * group);
                Codes.Scale(Vector128.Shuffle(IQ4_NL.Levels, Codes.LowNibbles(packed).AsSByte()), s, y);
                Codes.Scale(Vector128.Shuffle(IQ4_NL.Levels, Codes.HighNibbles(packed).AsSByte()), s, y + 16);
            }
        }
    }
}
