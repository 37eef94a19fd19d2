using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class BlockFormatsTests
{
    private const int Count = 16 * 512;

    public static TheoryData<DType, string> Formats { get; } = new()
    {
        { DType.F16, "f16" },
        { DType.BF16, "bf16" },
        { DType.Q4_0, "q4_0" },
        { DType.Q4_1, "q4_1" },
        { DType.Q5_0, "q5_0" },
        { DType.Q5_1, "q5_1" },
        { DType.Q8_0, "q8_0" },
        { DType.Q2_K, "q2_K" },
        { DType.Q3_K, "q3_K" },
        { DType.Q4_K, "q4_K" },
        { DType.Q5_K, "q5_K" },
        { DType.Q6_K, "q6_K" },
        { DType.IQ4_NL, "iq4_nl" },
        { DType.IQ4_XS, "iq4_xs" },
        { DType.TQ1_0, "tq1_0" },
        { DType.TQ2_0, "tq2_0" },
    };

    [Theory, MemberData(nameof(Formats))]
    public void Values_are_bit_equal_to_ggml(DType type, string name)
    {
        byte[] blocks = Blocks(name);
        blocks.LongLength.ShouldBe(type.Bytes(Count));
        BitsOf(Read(type, blocks, 0, Count)).ShouldBe(BitsOf(Expected(name)));
    }

    [Theory, MemberData(nameof(Formats))]
    public void A_range_may_begin_and_end_anywhere(DType type, string name)
    {
        byte[] blocks = Blocks(name);
        float[] all = Expected(name);
        Random random = new(7);
        for (int i = 0; i < 200; i++)
        {
            int first = random.Next(Count), count = random.Next(Math.Min(600, Count - first) + 1);
            BitsOf(Read(type, blocks, first, count)).ShouldBe(BitsOf(all.AsSpan(first, count)));
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void The_parallel_version_covers_every_element_once(DType type, string name)
    {
        // more than two parts and a tail
        byte[] once = Blocks(name);
        byte[] blocks = [.. Enumerable.Repeat(once, 17).SelectMany(x => x)];
        float[] values = new float[17 * Count];
        fixed (byte* x = blocks)
        fixed (float* y = values)
            BlockFormats.DequantizeParallel(type, x, values.Length, y);
        for (int i = 0; i < 17; i++)
            BitsOf(values.AsSpan(i * Count, Count)).ShouldBe(BitsOf(Expected(name)));
    }

    [Theory, MemberData(nameof(Formats))]
    public void Nothing_is_written_beyond_the_last_element(DType type, string name)
    {
        byte[] blocks = Blocks(name)[..type.BlockBytes()];
        float[] values = new float[type.BlockSize() + 1];
        values[^1] = 42;
        fixed (byte* x = blocks)
        fixed (float* y = values)
            BlockFormats.Dequantize(type, x, 0, type.BlockSize(), y);
        BitsOf(values.AsSpan(0, type.BlockSize())).ShouldBe(BitsOf(Expected(name).AsSpan(0, type.BlockSize())));
        values[^1].ShouldBe(42);
    }

    [Fact]
    public void Every_half_widens_as_the_runtime_says()
    {
        ushort[] halves = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        float[] values = Read(DType.F16, MemoryMarshal.AsBytes(halves.AsSpan()).ToArray(), 0, 65536);
        for (int i = 0; i < 65536; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            float scalar = F16.ToSingle((ushort)i);
            if (float.IsNaN(expected))
            {
                values[i].ShouldBe(float.NaN);
                scalar.ShouldBe(float.NaN);
            }
            else
            {
                BitConverter.SingleToInt32Bits(values[i]).ShouldBe(BitConverter.SingleToInt32Bits(expected));
                BitConverter.SingleToInt32Bits(scalar).ShouldBe(BitConverter.SingleToInt32Bits(expected));
            }
        }
    }

    [Theory]
    [InlineData(DType.F16, "f16")]
    [InlineData(DType.BF16, "bf16")]
    [InlineData(DType.Q4_0, "q4_0")]
    [InlineData(DType.Q4_1, "q4_1")]
    [InlineData(DType.Q5_0, "q5_0")]
    [InlineData(DType.Q5_1, "q5_1")]
    [InlineData(DType.Q8_0, "q8_0")]
    [InlineData(DType.TQ1_0, "tq1_0")]
    [InlineData(DType.TQ2_0, "tq2_0")]
    public void Singles_round_to_the_bytes_that_ggml_stores(DType type, string name)
    {
        Packed(type, Floats("input_16x512.f32")).ShouldBe(Blocks(name));
    }

    [Theory]
    [InlineData(DType.Q2_K, "q2_K")]
    [InlineData(DType.Q3_K, "q3_K")]
    [InlineData(DType.Q4_K, "q4_K")]
    [InlineData(DType.Q5_K, "q5_K")]
    [InlineData(DType.Q6_K, "q6_K")]
    [InlineData(DType.IQ4_NL, "iq4_nl")]
    [InlineData(DType.IQ4_XS, "iq4_xs")]
    public void Packing_that_searches_for_scales_comes_as_close_as_ggml(DType type, string name)
    {
        float[] values = Floats("input_16x512.f32"), theirs = Expected(name), ours = Read(type, Packed(type, values), 0, Count);
        for (int row = 0; row < 16; row++)
            Error(ours, row).ShouldBeLessThanOrEqualTo(1.03 * Error(theirs, row) + 1e-12, $"row {row}");

        double Error(float[] found, int row) => Distance(found.AsSpan(row * 512, 512), values.AsSpan(row * 512, 512));
    }

    /// <summary>What a format of so many bits makes of normally distributed numbers, as a share of their own size.</summary>
    [Theory]
    [InlineData(DType.Q2_K, 0.28)]
    [InlineData(DType.Q3_K, 0.15)]
    [InlineData(DType.Q4_K, 0.073)]
    [InlineData(DType.Q5_K, 0.037)]
    [InlineData(DType.Q6_K, 0.018)]
    [InlineData(DType.IQ4_NL, 0.075)]
    [InlineData(DType.IQ4_XS, 0.076)]
    [InlineData(DType.Q4_0, 0.09)]
    [InlineData(DType.Q5_0, 0.045)]
    [InlineData(DType.Q5_1, 0.04)]
    [InlineData(DType.Q8_0, 0.006)]
    public void Normal_numbers_move_no_farther_than_a_format_allows(DType type, double error)
    {
        Random random = new(23);
        float[] values = [.. Enumerable.Range(0, 1 << 16).Select(_ => 0.02f * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble())))];
        float[] packed = Read(type, Packed(type, values), 0, values.Length);
        (Distance(packed, values) / Distance(values, new float[values.Length])).ShouldBeLessThan(error);
        // what is packed already hardly moves again; where a search may miss the very scale it had, by a few hundredths of what it moved at first
        bool exact = type is DType.Q4_0 or DType.Q5_0 or DType.Q5_1 or DType.Q8_0;
        Distance(Read(type, Packed(type, packed), 0, values.Length), packed).ShouldBeLessThan((exact ? 1e-3 : 0.05) * Distance(packed, values));
    }

    public static TheoryData<DType> Packing => [.. Enum.GetValues<DType>().Where(type => type is >= DType.Q4_0 and <= DType.TQ2_0)];

    [Theory, MemberData(nameof(Packing))]
    public void Every_block_format_of_ggml_can_be_written(DType type)
    {
        BlockFormats.CanQuantize(type).ShouldBeTrue();
        int block = type.BlockSize();
        Read(type, Packed(type, new float[block]), 0, block).ShouldAllBe(value => value == 0);
        // one number over and over, whatever its sign
        foreach (float constant in new[] { 0.5f, -0.5f, 3e-3f })
            Read(type, Packed(type, [.. Enumerable.Repeat(constant, block)]), 0, block).ShouldAllBe(value => Math.Abs(value - constant) <= 0.08f * Math.Abs(constant));
        // a single number among zeros
        float[] lonely = new float[block];
        lonely[block / 3] = -0.7f;
        Distance(Read(type, Packed(type, lonely), 0, block), lonely).ShouldBeLessThan(0.08f * 0.7f);
    }

    [Theory]
    [InlineData(DType.Q2_K)]
    [InlineData(DType.Q3_K)]
    [InlineData(DType.Q4_K)]
    [InlineData(DType.Q5_K)]
    [InlineData(DType.Q6_K)]
    [InlineData(DType.IQ4_NL)]
    [InlineData(DType.IQ4_XS)]
    [InlineData(DType.TQ1_0)]
    [InlineData(DType.TQ2_0)]
    public void Numbers_beyond_the_range_of_a_scale_stay_finite(DType type)
    {
        Random random = new(24);
        foreach (float size in new[] { 1e-45f, 1e-38f, 1e-30f, 1e-12f, 1e7f, 1e20f, float.MaxValue })
        {
            float[] values = [.. Enumerable.Range(0, 512).Select(i => (float)((random.NextDouble() * 2 - 1) * size)), size, -size, .. new float[254]];
            float[] packed = Read(type, Packed(type, values), 0, values.Length);
            packed.ShouldAllBe(value => float.IsFinite(value), $"size {size}");
            // what is too small for a scale becomes zero or stays as small
            if (size < 1e-9f)
                packed.ShouldAllBe(value => Math.Abs(value) < 1e-5f, $"size {size}");
        }
    }

    [Fact]
    public void Only_whole_blocks_are_packed()
    {
        float* x = stackalloc float[40];
        byte* y = stackalloc byte[64];
        Should.Throw<ArgumentException>(() => BlockFormats.Quantize(DType.Q4_0, x, 33, y)).Message.ShouldContain("whole blocks");
        Should.Throw<ArgumentException>(() => BlockFormats.Quantize(DType.U4G32, x, 32, y)).Message.ShouldContain("U4G32");
    }

    [Fact]
    public void Vectors_of_singles_round_to_bfloat16_as_one_does()
    {
        Random random = new(5);
        float[] values = [.. Enumerable.Range(0, 4099).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue))), float.NaN, -float.NaN, float.MaxValue, float.NegativeInfinity];
        ushort[] rounded = new ushort[values.Length];
        fixed (float* x = values)
        fixed (ushort* y = rounded)
            BlockFormats.Quantize(DType.BF16, x, values.Length, y);
        rounded.ShouldBe(values.Select(BF16.FromSingle));
        rounded[4101].ShouldBe((ushort)0x7F80);
    }

    [Theory]
    [InlineData(0x00, 0f)]
    [InlineData(0x01, 0.001953125f)]
    [InlineData(0x07, 0.013671875f)]
    [InlineData(0x08, 0.015625f)]
    [InlineData(0x38, 1f)]
    [InlineData(0x7E, 448f)]
    [InlineData(0xB8, -1f)]
    [InlineData(0x7F, float.NaN)]
    public void Eight_bit_floats_of_four_exponent_bits(byte code, float value) => Read(DType.F8E4M3, [code], 0, 1)[0].ShouldBe(value);

    [Theory]
    [InlineData(0x01, 1.52587890625E-05f)]
    [InlineData(0x3C, 1f)]
    [InlineData(0x7B, 57344f)]
    [InlineData(0x7C, float.PositiveInfinity)]
    [InlineData(0xFC, float.NegativeInfinity)]
    public void Eight_bit_floats_of_five_exponent_bits(byte code, float value) => Read(DType.F8E5M2, [code], 0, 1)[0].ShouldBe(value);

    [Theory]
    [InlineData(0, 5.877472E-39f)]
    [InlineData(127, 1f)]
    [InlineData(254, 1.7014118E+38f)]
    [InlineData(255, float.NaN)]
    public void Eight_bit_powers_of_two(byte code, float value) => Read(DType.F8E8M0, [code], 0, 1)[0].ShouldBe(value);

    [Fact]
    public void Doubles_and_integers_round_to_nearest()
    {
        Read(DType.F64, BitConverter.GetBytes(0.1), 0, 1).ShouldBe([0.1f]);
        Read(DType.I64, BitConverter.GetBytes(long.MinValue), 0, 1).ShouldBe([-9.223372E+18f]);
        Read(DType.I32, BitConverter.GetBytes(16777217), 0, 1).ShouldBe([16777216f]);
        Read(DType.I8, [0xFF, 0x7F], 0, 2).ShouldBe([-1f, 127f]);
        Read(DType.Bool, [0, 1], 0, 2).ShouldBe([0f, 1f]);
    }

    [Fact]
    public void Types_without_a_single_precision_reading_say_so()
    {
        BlockFormats.CanDequantize(DType.C64).ShouldBeFalse();
        BlockFormats.CanDequantize(DType.F4).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => Read(DType.C64, new byte[8], 0, 1)).Message.ShouldContain("C64");
        foreach (DType type in Enum.GetValues<DType>().Where(t => t.IsBlocked()))
            BlockFormats.CanDequantize(type).ShouldBeTrue(type.ToString());
    }

    private static float[] Read(DType type, byte[] blocks, long first, int count)
    {
        float[] values = new float[count];
        fixed (byte* x = blocks)
        fixed (float* y = values)
            BlockFormats.Dequantize(type, x, first, count, y);
        return values;
    }

    private static byte[] Packed(DType type, float[] values)
    {
        byte[] packed = new byte[type.Bytes(values.Length)];
        fixed (float* x = values)
        fixed (byte* y = packed)
            BlockFormats.Quantize(type, x, values.Length, y);
        return packed;
    }

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return Math.Sqrt(sum);
    }

    private static byte[] Blocks(string name) => File.ReadAllBytes(GoldenData.Path("ggml-quants", name + ".bin"));

    private static float[] Expected(string name) => Floats(name + ".deq.f32");

    private static float[] Floats(string file) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(GoldenData.Path("ggml-quants", file))).ToArray();

    private static int[] BitsOf(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).ToArray();
}
