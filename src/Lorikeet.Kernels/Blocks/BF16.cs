using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>The upper half of a single.</summary>
internal static unsafe class BF16
{
    /// <summary>The value of a bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>The nearest bfloat16, ties to even; a NaN stays one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if ((bits & 0x7FFFFFFF) > 0x7F800000)
            return (ushort)(bits >> 16 | 64);
        return (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    /// <summary>Widens <paramref name="count"/> values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(byte* x, long count, float* y)
    {
        ushort* values = (ushort*)x;
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Load(values + i));
            (low << 16).AsSingle().Store(y + i);
            (high << 16).AsSingle().Store(y + i + 8);
        }
        for (; i < count; i++)
            y[i] = ToSingle(values[i]);
    }

    /// <summary>Rounds <paramref name="count"/> singles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* x, long count, byte* y)
    {
        ushort* values = (ushort*)y;
        long i = 0;
        for (; i <= count - 16; i += 16)
            Vector256.Narrow(FromSingle(Vector256.Load(x + i)), FromSingle(Vector256.Load(x + i + 8))).Store(values + i);
        for (; i < count; i++)
            values[i] = FromSingle(x[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> FromSingle(Vector256<float> value)
    {
        Vector256<uint> bits = value.AsUInt32(), upper = bits >>> 16;
        Vector256<uint> rounded = bits + Vector256.Create(0x7FFFu) + (upper & Vector256<uint>.One) >>> 16;
        return Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, upper | Vector256.Create(64u));
    }
}
