using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>Rounds packed panels of singles to bfloat16, to nearest and ties to even; a NaN stays one.</summary>
internal static unsafe class GemmNarrow
{
    /// <summary>Values behind a panel that <see cref="Pairs"/> may read and overwrite.</summary>
    public const int Slack = 16;

    /// <summary>
    /// A panel <c>[terms, width]</c> of singles becomes one of pairs <c>[(terms + 1) / 2, width]</c>: the earlier term in the lower half; the partner of
    /// an odd last term is zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pairs(float* from, int terms, int width, uint* to)
    {
        for (; terms > 1; terms -= 2, from += 2 * width, to += width)
        {
            for (int j = 0; j < width; j += Vector512<uint>.Count)
                (Upper(Vector512.Load((uint*)from + j)) >>> 16 | Upper(Vector512.Load((uint*)from + width + j)) & Vector512.Create(0xFFFF0000)).Store(to + j);
        }
        if (terms > 0)
        {
            for (int j = 0; j < width; j += Vector512<uint>.Count)
                (Upper(Vector512.Load((uint*)from + j)) >>> 16).Store(to + j);
        }
    }

    /// <summary>Terms of a row side by side: they are pairs as they lie, and the partner of an odd last one is zero.</summary>
    public static void Row(float* from, int terms, ushort* to)
    {
        BF16.Narrow(from, terms, (byte*)to);
        if ((terms & 1) != 0)
            to[terms] = 0;
    }

    /// <summary>Rounds, and keeps the values as singles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(float* values, nint count)
    {
        nint i = 0;
        for (; i <= count - Vector512<uint>.Count; i += Vector512<uint>.Count)
            (Upper(Vector512.Load((uint*)values + i)) & Vector512.Create(0xFFFF0000)).Store((uint*)values + i);
        for (; i < count; i++)
            values[i] = BF16.ToSingle(BF16.FromSingle(values[i]));
    }

    /// <summary>The rounded value in the upper halves; the lower halves hold rubbish.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Upper(Vector512<uint> bits)
    {
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + (bits >>> 16 & Vector512<uint>.One);
        return Vector512.ConditionalSelect(Vector512.Equals(bits.AsSingle(), bits.AsSingle()).AsUInt32(), rounded, bits | Vector512.Create(0x400000u));
    }
}
