using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// IEEE half precision. The conversion works on the bits and multiplies by 2¹¹² to move the exponent: exact for every value, subnormals
/// included, and several times as fast as the cast from <see cref="Half"/>.
/// </summary>
internal static unsafe class F16
{
    private const uint ExponentShift = 239u << 23;
    private const uint Infinity = 255u << 23;
    private const uint FirstBeyondFinite = 143u << 23;

    /// <summary>The value of a half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort half)
    {
        float magnitude = BitConverter.UInt32BitsToSingle((uint)(half & 0x7FFF) << 13) * BitConverter.UInt32BitsToSingle(ExponentShift);
        uint bits = BitConverter.SingleToUInt32Bits(magnitude);
        if (bits >= FirstBeyondFinite)
            bits |= Infinity;
        return BitConverter.UInt32BitsToSingle(bits | (uint)(half & 0x8000) << 16);
    }

    /// <summary>The nearest half, ties to even; beyond 65504 infinity.</summary>
    public static ushort FromSingle(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    /// <summary>Widens <paramref name="count"/> halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(byte* x, long count, float* y)
    {
        ushort* halves = (ushort*)x;
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            Vector256<ushort> h = Vector256.Load(halves + i);
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(h);
            ToSingle(low).Store(y + i);
            ToSingle(high).Store(y + i + 8);
        }
        for (; i < count; i++)
            y[i] = ToSingle(halves[i]);
    }

    /// <summary>Rounds <paramref name="count"/> singles to halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* x, long count, byte* y)
    {
        ushort* halves = (ushort*)y;
        long i = 0;
        for (; i <= count - 16; i += 16)
            Vector256.Narrow(FromSingle(Vector256.Load(x + i)), FromSingle(Vector256.Load(x + i + 8))).Store(halves + i);
        for (; i < count; i++)
            halves[i] = FromSingle(x[i]);
    }

    /// <summary>
    /// As <see cref="FromSingle(float)"/>, in the lower half of each element. Normal halves are rounded as integers; subnormal ones by the addition
    /// of 0.5, whose last bit weighs as much as theirs.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> FromSingle(Vector256<float> value)
    {
        Vector256<uint> bits = value.AsUInt32() & Vector256.Create(0x7FFFFFFFu);
        Vector256<uint> sign = (value.AsUInt32() >> 16) & Vector256.Create(0x8000u);
        Vector256<uint> normal = (bits - Vector256.Create((112u << 23) - 0xFFF) + (bits >> 13 & Vector256<uint>.One)) >> 13;
        Vector256<uint> half = Vector256.Create(126u << 23);
        Vector256<uint> subnormal = (bits.AsSingle() + half.AsSingle()).AsUInt32() - half;
        Vector256<uint> finite = Vector256.ConditionalSelect(Vector256.LessThan(bits.AsInt32(), Vector256.Create(113 << 23)).AsUInt32(), subnormal, normal);
        Vector256<uint> nan = Vector256.Create(0x7E00u) | bits >> 13 & Vector256.Create(0x3FFu);
        Vector256<uint> beyond = Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), Vector256.Create(0x7C00u), nan);
        return sign | Vector256.ConditionalSelect(Vector256.LessThan(bits.AsInt32(), Vector256.Create((int)FirstBeyondFinite)).AsUInt32(), finite, beyond);
    }

    /// <summary>The values of sixteen halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<uint> half)
    {
        Vector512<float> magnitude = ((half & Vector512.Create(0x7FFFu)) << 13).AsSingle() * Vector512.Create(ExponentShift).AsSingle();
        Vector512<uint> beyond = Vector512.GreaterThanOrEqual(magnitude.AsInt32(), Vector512.Create((int)FirstBeyondFinite)).AsUInt32();
        return (magnitude.AsUInt32() | (beyond & Vector512.Create(Infinity)) | ((half & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }

    /// <summary>The values of four halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToSingle(Vector128<uint> half)
    {
        Vector128<float> magnitude = ((half & Vector128.Create(0x7FFFu)) << 13).AsSingle() * Vector128.Create(ExponentShift).AsSingle();
        Vector128<uint> beyond = Vector128.GreaterThanOrEqual(magnitude.AsInt32(), Vector128.Create((int)FirstBeyondFinite)).AsUInt32();
        return (magnitude.AsUInt32() | (beyond & Vector128.Create(Infinity)) | ((half & Vector128.Create(0x8000u)) << 16)).AsSingle();
    }

    /// <summary>The values of eight halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector256<uint> half)
    {
        Vector256<float> magnitude = ((half & Vector256.Create(0x7FFFu)) << 13).AsSingle() * Vector256.Create(ExponentShift).AsSingle();
        Vector256<uint> beyond = Vector256.GreaterThanOrEqual(magnitude.AsInt32(), Vector256.Create((int)FirstBeyondFinite)).AsUInt32();
        return (magnitude.AsUInt32() | (beyond & Vector256.Create(Infinity)) | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }
}
