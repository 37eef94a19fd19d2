using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// The 8-bit "dynamic" number format (Dettmers 2016, arXiv:1511.04561): seven decades, each divided linearly, the finer the larger. Values between
/// -1 and 1 (or 0 and 1) in blocks that share an f32 magnitude.
/// </summary>
public static unsafe class DynamicMap
{
    /// <summary>A last, shorter block has at least this magnitude to divide by.</summary>
    internal const float LeastOfTail = 1e-38f;

    private static readonly float[] SignedValues = Build(signed: true), UnsignedValues = Build(signed: false);

    /// <summary>256 values from -1 to 1, ascending.</summary>
    public static ReadOnlySpan<float> Signed => SignedValues;

    /// <summary>The same, for kernels.</summary>
    internal static float* SignedPointer => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(SignedValues));

    /// <summary>256 values from 0 to 1, ascending.</summary>
    public static ReadOnlySpan<float> Unsigned => UnsignedValues;

    /// <summary>Quantises in blocks: each value times the reciprocal of its block's largest magnitude becomes the nearest of the map, the lower one of two.</summary>
    /// <param name="map">256 ascending values.</param>
    /// <param name="x">Values.</param>
    /// <param name="block">Values of a block.</param>
    /// <param name="codes">Receives a byte for each value.</param>
    /// <param name="magnitudes">Receives a magnitude for each block begun.</param>
    public static void Quantize(ReadOnlySpan<float> map, ReadOnlySpan<float> x, int block, Span<byte> codes, Span<float> magnitudes)
    {
        for (int first = 0; first < x.Length; first += block)
        {
            ReadOnlySpan<float> values = x.Slice(first, Math.Min(block, x.Length - first));
            float magnitude = 0;
            foreach (float value in values)
                magnitude = MathF.Max(magnitude, MathF.Abs(value));
            if (values.Length < block)
                magnitude = MathF.Max(magnitude, LeastOfTail);
            magnitudes[first / block] = magnitude;
            float reciprocal = magnitude == 0 ? 0 : 1 / magnitude;
            for (int i = 0; i < values.Length; i++)
                codes[first + i] = Nearest(map, Math.Clamp(values[i] * reciprocal, -1, 1));
        }
    }

    /// <summary>Reads codes: <c>map[code] * magnitude</c>.</summary>
    public static void Dequantize(ReadOnlySpan<float> map, ReadOnlySpan<byte> codes, ReadOnlySpan<float> magnitudes, int block, Span<float> y)
    {
        for (int i = 0; i < codes.Length; i++)
            y[i] = map[codes[i]] * magnitudes[i / block];
    }

    /// <summary>The code whose value is nearest, the lower one of two.</summary>
    public static byte Nearest(ReadOnlySpan<float> map, float value)
    {
        int low = 0, high = 255;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (map[middle] <= value)
                low = middle;
            else
                high = middle;
        }
        return (byte)(MathF.Abs(value - map[low]) <= MathF.Abs(value - map[high]) ? low : high);
    }

    // each decade: its tenth to itself, cut into 2^i parts (twice as many without a sign), of which the middles count
    private static float[] Build(bool signed)
    {
        List<float> values = [0, 1];
        for (int i = 0; i < 7; i++)
        {
            int parts = signed ? 1 << i : 2 << i;
            float power = (float)Math.Pow(10, i - 6), step = (1f - 0.1f) / parts;
            for (int part = 0; part < parts; part++)
            {
                float middle = (Edge(part) + Edge(part + 1)) / 2;
                values.Add(power * middle);
                if (signed)
                    values.Add(-(power * middle));
            }

            // as the reference spaces them: from the nearer end, rounded once
            float Edge(int at) => at < (parts + 1) / 2 ? MathF.FusedMultiplyAdd(step, at, 0.1f) : MathF.FusedMultiplyAdd(-step, parts - at, 1f);
        }
        values.Sort();
        // kernels hold its address
        float[] map = GC.AllocateUninitializedArray<float>(values.Count, pinned: true);
        values.CopyTo(map);
        return map;
    }
}
