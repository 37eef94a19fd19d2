using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// The step that every block format ends in: sixteen small integers become sixteen floats, scaled and shifted.
/// Products and sums are rounded separately, never fused, because ggml's scalar code defines the values.
/// </summary>
internal static unsafe class Codes
{
    /// <summary><c>y[i] = codes[i] * scale</c> for 16 signed codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(Vector128<sbyte> codes, float scale, float* y)
    {
        if (Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(codes)) * scale).Store(y);
        }
        else if (Avx2.IsSupported)
        {
            Vector256<float> d = Vector256.Create(scale);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(codes)) * d).Store(y);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.Shuffle(codes, UpperHalf))) * d).Store(y + 8);
        }
        else
        {
            Vector128<float> d = Vector128.Create(scale);
            (Vector128<short> low, Vector128<short> high) = Vector128.Widen(codes);
            (Vector128.ConvertToSingle(Vector128.WidenLower(low)) * d).Store(y);
            (Vector128.ConvertToSingle(Vector128.WidenUpper(low)) * d).Store(y + 4);
            (Vector128.ConvertToSingle(Vector128.WidenLower(high)) * d).Store(y + 8);
            (Vector128.ConvertToSingle(Vector128.WidenUpper(high)) * d).Store(y + 12);
        }
    }

    /// <summary><c>y[i] = codes[i] * scale + shift</c> for 16 codes in 0 .. 127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleShift(Vector128<byte> codes, float scale, float shift, float* y)
    {
        Vector128<sbyte> signed = codes.AsSByte();
        if (Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(signed)) * scale + Vector512.Create(shift)).Store(y);
        }
        else if (Avx2.IsSupported)
        {
            Vector256<float> d = Vector256.Create(scale), m = Vector256.Create(shift);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(signed)) * d + m).Store(y);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.Shuffle(signed, UpperHalf))) * d + m).Store(y + 8);
        }
        else
        {
            Vector128<float> d = Vector128.Create(scale), m = Vector128.Create(shift);
            (Vector128<short> low, Vector128<short> high) = Vector128.Widen(signed);
            (Vector128.ConvertToSingle(Vector128.WidenLower(low)) * d + m).Store(y);
            (Vector128.ConvertToSingle(Vector128.WidenUpper(low)) * d + m).Store(y + 4);
            (Vector128.ConvertToSingle(Vector128.WidenLower(high)) * d + m).Store(y + 8);
            (Vector128.ConvertToSingle(Vector128.WidenUpper(high)) * d + m).Store(y + 12);
        }
    }

    /// <summary>The lower four bits of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowNibbles(Vector128<byte> packed) => packed & Vector128.Create((byte)15);

    /// <summary>The upper four bits of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> HighNibbles(Vector128<byte> packed) =>
        (packed.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);

    /// <summary>Two bits of each of 16 bytes, beginning at bit <paramref name="shift"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> BitPairs(Vector128<byte> packed, int shift) =>
        (packed.AsUInt16() >>> shift).AsByte() & Vector128.Create((byte)3);

    /// <summary><paramref name="value"/> in each lane whose bit in <paramref name="bits"/> is set, 0 elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> WhereBit(ushort bits, byte value)
    {
        Vector128<byte> spread = Vector128.Shuffle(Vector128.Create(bits).AsByte(), Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
        Vector128<byte> lane = Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
        return Vector128.Equals(spread & lane, lane) & Vector128.Create(value);
    }

    private static Vector128<sbyte> UpperHalf =>
        Vector128.Create((sbyte)8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
}
