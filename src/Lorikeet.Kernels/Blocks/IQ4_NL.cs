using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>32 weights in 18 bytes: f16 scale <c>d</c>, 16 bytes of indices into a fixed table of sixteen levels. <c>w = d * level[q]</c>.</summary>
internal static unsafe class IQ4_NL
{
    /// <summary>The sixteen levels, closer together around zero; shared with <see cref="IQ4_XS"/>.</summary>
    internal static Vector128<sbyte> Levels => Vector128.Create((sbyte)-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

    /// <summary>The levels at the ends.</summary>
    internal const float Lowest = -127, Highest = 113;

    // between neighbours
    private static ReadOnlySpan<float> Middles => [-115.5f, -93.5f, -74, -57, -42, -28.5f, -16, -4.5f, 7, 19, 31.5f, 45.5f, 61, 79, 101];

    // from each level to the next
    private static ReadOnlySpan<float> Steps => [23, 21, 18, 16, 14, 13, 12, 11, 12, 12, 13, 15, 16, 20, 24];

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

    /// <summary>The nearest level of each number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Nearest(Vector256<float> x)
    {
        Vector256<float> level = Vector256.Create(Lowest);
        for (int i = 0; i < 15; i++)
            level += Vector256.GreaterThan(x, Vector256.Create(Middles[i])) & Vector256.Create(Steps[i]);
        return level;
    }

    /// <summary>Packs whole blocks: the scale by least squares over a range of roundings.</summary>
    public static void Quantize(float* x, long blocks, byte* block)
    {
        for (long b = 0; b < blocks; b++, block += 18, x += 32)
        {
            ushort d = Rounding.ToScale(ScaleSearch.Levels(x, 32));
            *(ushort*)block = d;
            Encode(x, F16.ToSingle(d), block + 2);
        }
    }

    /// <summary>The indices of the levels nearest to 32 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Encode(float* x, float scale, byte* to)
    {
        Vector256<float> inverse = Vector256.Create(scale == 0 ? 0 : 1 / scale);
        Vector128<byte> low = Rounding.Narrow(Index(Vector256.Load(x) * inverse), Index(Vector256.Load(x + 8) * inverse));
        Vector128<byte> high = Rounding.Narrow(Index(Vector256.Load(x + 16) * inverse), Index(Vector256.Load(x + 24) * inverse));
        (low | (high.AsUInt16() << 4).AsByte()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Index(Vector256<float> x)
    {
        Vector256<int> index = Vector256<int>.Zero;
        for (int i = 0; i < 15; i++)
            index -= Vector256.GreaterThan(x, Vector256.Create(Middles[i])).AsInt32();
        return index;
    }
}
