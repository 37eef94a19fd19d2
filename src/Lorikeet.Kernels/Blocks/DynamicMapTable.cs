using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>
/// The nearest code of a <see cref="DynamicMap"/> in one look: the upper half of a single, which names its exponent and seven bits of its mantissa, leaves
/// at most two codes to choose from. The answers are those of <see cref="DynamicMap.Nearest"/> for every number.
/// </summary>
internal sealed unsafe class DynamicMapTable
{
    /// <summary>Smaller magnitudes than 2^-23 are all nearest to the map's zero.</summary>
    private const int First = (127 - 23) << 7, Cells = (127 << 7) - First + 1;

    /// <summary>Of either map.</summary>
    public static readonly DynamicMapTable Signed = new(DynamicMap.Signed), Unsigned = new(DynamicMap.Unsigned);

    // for each sign and cell: the code of its smallest magnitude, and the magnitude from which the next one is nearer
    private readonly byte[] _codes;
    private readonly float[] _next, _values;

    private DynamicMapTable(ReadOnlySpan<float> map)
    {
        _values = GC.AllocateUninitializedArray<float>(256, pinned: true);
        map.CopyTo(_values);
        // codes are fetched four at a time
        _codes = GC.AllocateArray<byte>(2 * Cells + 3, pinned: true);
        _next = GC.AllocateUninitializedArray<float>(2 * Cells, pinned: true);
        for (int i = 0; i < 2 * Cells; i++)
        {
            float sign = i < Cells ? 1 : -1;
            uint low = (uint)(i % Cells + First) << 16, high = i % Cells == Cells - 1 ? low : low + 0xFFFF;
            // everything smaller is in the first cell
            byte code = DynamicMap.Nearest(map, i % Cells == 0 ? 0 : sign * BitConverter.UInt32BitsToSingle(low));
            _codes[i] = code;
            _next[i] = float.PositiveInfinity;
            if (DynamicMap.Nearest(map, sign * BitConverter.UInt32BitsToSingle(high)) == code)
                continue;
            while (low < high)
            {
                uint middle = low + (high - low) / 2;
                if (DynamicMap.Nearest(map, sign * BitConverter.UInt32BitsToSingle(middle)) == code)
                    low = middle + 1;
                else
                    high = middle;
            }
            _next[i] = BitConverter.UInt32BitsToSingle(low);
        }
    }

    /// <summary>Reads codes: their values times a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Decode(byte* codes, int count, float factor, float* x)
    {
        float* values = (float*)Unsafe.AsPointer(ref _values[0]);
        int i = 0;
        if (Avx2.IsSupported)
        {
            for (; i <= count - 8; i += 8)
                (Avx2.GatherVector256(values, Avx2.ConvertToVector256Int32(codes + i), sizeof(float)) * factor).Store(x + i);
        }
        for (; i < count; i++)
            x[i] = values[codes[i]] * factor;
    }

    /// <summary>Writes the codes of numbers times a factor, cut to what the map holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Encode(float* x, int count, float factor, byte* codes)
    {
        byte* known = (byte*)Unsafe.AsPointer(ref _codes[0]);
        float* next = (float*)Unsafe.AsPointer(ref _next[0]);
        int i = 0;
        if (Avx2.IsSupported)
        {
            for (; i <= count - 8; i += 8)
            {
                Vector256<int> bits = (Vector256.Load(x + i) * factor).AsInt32(), sign = bits >> 31;
                Vector256<float> magnitude = (bits & Vector256.Create(0x7FFF_FFFF)).AsSingle();
                // of two numbers of which one is none, Avx.Min gives the second
                magnitude = Avx.Min(magnitude, Vector256<float>.One);
                Vector256<int> cell = Vector256.Max((magnitude.AsInt32() >>> 16) - Vector256.Create(First), Vector256<int>.Zero) + (sign & Vector256.Create(Cells));
                Vector256<int> code = Avx2.GatherVector256((int*)known, cell, 1) & Vector256.Create(0xFF);
                Vector256<int> step = Vector256.GreaterThanOrEqual(magnitude, Avx2.GatherVector256(next, cell, sizeof(float))).AsInt32() & Vector256<int>.One;
                code += (step ^ sign) - sign;
                Vector128<short> words = Sse2.PackSignedSaturate(code.GetLower(), code.GetUpper());
                *(ulong*)(codes + i) = Sse2.PackUnsignedSaturate(words, words).AsUInt64().ToScalar();
            }
        }
        for (; i < count; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(x[i] * factor);
            float magnitude = BitConverter.UInt32BitsToSingle(bits & 0x7FFF_FFFF);
            // also of what is no number
            magnitude = magnitude < 1 ? magnitude : 1;
            int sign = -(int)(bits >> 31), cell = Math.Max((int)(BitConverter.SingleToUInt32Bits(magnitude) >> 16) - First, 0) + (sign & Cells);
            // one further from zero: up, or down
            codes[i] = (byte)(known[cell] + ((magnitude >= next[cell] ? 1 : 0) ^ sign) - sign);
        }
    }
}
