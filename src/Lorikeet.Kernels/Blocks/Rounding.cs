using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>How numbers become codes: what the packing of block formats has in common.</summary>
internal static unsafe class Rounding
{
    /// <summary>The number that is farthest from zero, with its sign; the first of several.</summary>
    public static float Farthest(float* x, int count)
    {
        float farthest = 0;
        for (int i = 0; i < count; i++)
            farthest = Math.Abs(x[i]) > Math.Abs(farthest) ? x[i] : farthest;
        return farthest;
    }

    /// <summary>The least and the greatest number.</summary>
    public static (float Least, float Most) Range(float* x, int count)
    {
        float least = x[0], most = x[0];
        for (int i = 1; i < count; i++)
        {
            least = Math.Min(least, x[i]);
            most = Math.Max(most, x[i]);
        }
        return (least, most);
    }

    /// <summary>To half precision, to nearest, ties to even.</summary>
    public static ushort ToHalf(float x) => BitConverter.HalfToUInt16Bits((Half)x);

    /// <summary>To half precision, no farther than its largest number: what is multiplied with it must stay finite.</summary>
    public static ushort ToScale(float x) => ToHalf(Math.Clamp(x, -65504, 65504));

    /// <summary>The nearest code to <c>x / scale</c> from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static int Code(float x, float scale, int least, int most) => scale == 0 ? 0 : (int)Math.Clamp(MathF.Round(x / scale), least, most);

    /// <summary>
    /// The nearest codes to <c>(x + shift) / scale</c> from <paramref name="least"/> to <paramref name="most"/>, less the least one.
    /// </summary>
    /// <param name="x">Numbers.</param>
    /// <param name="count">How many: a multiple of 16.</param>
    /// <param name="scale">What a code counts.</param>
    /// <param name="shift">What is added before.</param>
    /// <param name="least">The least code, not above 0.</param>
    /// <param name="most">The greatest code.</param>
    /// <param name="to">Receives a byte for each.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode(float* x, int count, float scale, float shift, int least, int most, byte* to)
    {
        if (scale == 0)
        {
            new Span<byte>(to, count).Fill((byte)-least);
            return;
        }
        Vector256<float> inverse = Vector256.Create(1 / scale), m = Vector256.Create(shift), low = Vector256.Create((float)least), high = Vector256.Create((float)most);
        for (int i = 0; i < count; i += 16)
            Narrow(Quotient(x + i), Quotient(x + i + 8)).Store(to + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector256<int> Quotient(float* from) =>
            Vector256.ConvertToInt32Native(Vector256.MinNative(Vector256.MaxNative(Vector256.Round((Vector256.Load(from) + m) * inverse), low), high) - low);
    }

    /// <summary>Sixteen integers from 0 to 255 as bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Narrow(Vector256<int> first, Vector256<int> second)
    {
        Vector256<ushort> shorts = Vector256.Narrow(first, second).AsUInt16();
        return Vector128.Narrow(shorts.GetLower(), shorts.GetUpper());
    }
}
