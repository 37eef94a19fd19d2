using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>
/// Groups of 32 or 128 weights: f16 scale <c>d</c>, 16-bit zero point <c>z</c>, then unsigned codes: 8 bits in order, or 4 bits, 32 of them in 16
/// bytes with the first 16 in the lower nibbles. <c>w = d * (q - z)</c>.
/// </summary>
internal static unsafe class GroupedIntegers
{
    /// <summary>Unpacks blocks of 32 four-bit codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DequantizeU4G32(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 20, y += 32)
            Unpack(block + 4, F16.ToSingle(*(ushort*)block), Vector128.Create((sbyte)((ushort*)block)[1]), y);
    }

    /// <summary>Unpacks blocks of 128 four-bit codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DequantizeU4G128(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 68, y += 128)
        {
            float d = F16.ToSingle(*(ushort*)block);
            Vector128<sbyte> zero = Vector128.Create((sbyte)((ushort*)block)[1]);
            for (int i = 0; i < 4; i++)
                Unpack(block + 4 + 16 * i, d, zero, y + 32 * i);
        }
    }

    /// <summary>Unpacks blocks of 32 eight-bit codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DequantizeU8G32(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 36)
        {
            Vector256<float> d = Vector256.Create(F16.ToSingle(*(ushort*)block));
            Vector256<int> zero = Vector256.Create((int)((ushort*)block)[1]);
            for (int i = 0; i < 32; i += 16, y += 16)
            {
                (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.WidenLower(Vector128.Load(block + 4 + i).ToVector256()));
                (Vector256.ConvertToSingle(low.AsInt32() - zero) * d).Store(y);
                (Vector256.ConvertToSingle(high.AsInt32() - zero) * d).Store(y + 8);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Unpack(byte* codes, float d, Vector128<sbyte> zero, float* y)
    {
        Vector128<byte> packed = Vector128.Load(codes);
        Codes.Scale(Codes.LowNibbles(packed).AsSByte() - zero, d, y);
        Codes.Scale(Codes.HighNibbles(packed).AsSByte() - zero, d, y + 16);
    }
}
