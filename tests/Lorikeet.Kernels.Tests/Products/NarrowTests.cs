namespace Lorikeet.Kernels.Tests;

public sealed unsafe class NarrowTests
{
    [Fact]
    public void Singles_round_to_halves_as_the_runtime_rounds_them() =>
        Check(DType.F16, x => BitConverter.HalfToUInt16Bits((Half)x));

    [Fact]
    public void Singles_round_to_the_nearest_bfloat16_ties_to_even_and_a_NaN_stays_one() => Check(DType.BF16, x =>
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        if (float.IsNaN(x))
            return (ushort)(bits >> 16 | 64);
        uint low = bits & 0xFFFF, up = bits >> 16;
        return (ushort)(low > 0x8000 || (low == 0x8000 && (up & 1) == 1) ? up + 1 : up);
    });

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Every_narrow_value_survives_widening_and_rounding(DType type)
    {
        ushort[] all = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        float[] wide = new float[65536];
        ushort[] back = new ushort[65536];
        fixed (ushort* a = all, b = back)
        fixed (float* w = wide)
        {
            BlockFormats.Dequantize(type, a, 0, 65536, w);
            BlockFormats.Quantize(type, w, 65536, b);
        }
        for (int i = 0; i < 65536; i++)
        {
            if (float.IsNaN(wide[i]))
                (back[i] & 0x7FFF).ShouldBeGreaterThan(type == DType.F16 ? 0x7C00 : 0x7F80);
            else
                back[i].ShouldBe(all[i]);
        }
    }

    private static void Check(DType type, Func<float, ushort> expected)
    {
        // every exponent with the mantissas around the ties of both formats, and random bits; an odd count leaves a remainder
        List<uint> patterns = [];
        for (uint upper = 0; upper < 512; upper++)
        {
            foreach (uint lower in new uint[] { 0, 1, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2000, 0x2FFF, 0x3000, 0x3001, 0x7FFF, 0x8000, 0x8001, 0x17FFF, 0x18000, 0x18001, 0x7FEFFF, 0x7FF000, 0x7FFFFF })
                patterns.Add(upper << 23 | lower);
        }
        var random = new Random(1);
        for (int i = 0; i < 300_003; i++)
            patterns.Add((uint)random.NextInt64(1L << 32));
        for (int i = 0; i < 100_000; i++)
            patterns.Add((uint)(random.Next(100, 115) << 23 | random.Next(1 << 23)));
        float[] values = [.. patterns.Select(BitConverter.UInt32BitsToSingle)];
        ushort[] actual = new ushort[values.Length];
        fixed (float* x = values)
        fixed (ushort* y = actual)
            BlockFormats.Quantize(type, x, values.Length, y);
        for (int i = 0; i < values.Length; i++)
        {
            ushort wanted = expected(values[i]);
            if (actual[i] != wanted)
                Assert.Fail($"{values[i]:R} ({patterns[i]:X8}) became {actual[i]:X4}, expected {wanted:X4}");
        }
    }
}
