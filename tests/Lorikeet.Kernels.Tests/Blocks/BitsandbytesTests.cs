using System.Globalization;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Tests;

/// <summary>Codes, statistics and values are those of bitsandbytes, bit for bit (NOTE of the goldens).</summary>
public sealed unsafe class BitsandbytesTests
{
    private static readonly StoredGolden Matrices = new(Golden("matrices.safetensors"));
    private static readonly StoredGolden Bnb4Cases = new(Golden("bnb4.safetensors"));
    private static readonly StoredGolden Bnb8Cases = new(Golden("bnb8_blockwise.safetensors"));
    private static readonly StoredGolden Int8Cases = new(Golden("llm_int8.safetensors"));

    public static TheoryData<string> FourBit => Cases(Bnb4Cases, "packed", "|plain");

    public static TheoryData<string> Doubled => Cases(Bnb4Cases, "absmax_q", "|dq");

    public static TheoryData<string> Dynamic => Cases(Bnb8Cases, "q", "");

    [Fact]
    public void Levels_and_maps_are_those_of_the_reference()
    {
        StoredGolden codes = new(Golden("codes.safetensors"));
        Bnb4.Levels(DType.NF4).ToArray().ShouldBe(codes.Floats("nf4_code"));
        Bnb4.Levels(DType.FP4).ToArray().ShouldBe(codes.Floats("fp4_code"));
        BitsOf(DynamicMap.Signed.ToArray()).ShouldBe(BitsOf(codes.Floats("dynamic_signed")));
        BitsOf(DynamicMap.Unsigned.ToArray()).ShouldBe(BitsOf(codes.Floats("dynamic_unsigned")));
    }

    [Theory, MemberData(nameof(FourBit))]
    public void Indices_magnitudes_and_values_of_four_bits(string name)
    {
        (DType type, int block, float[] x) = Case(name);
        byte[] packed = new byte[(x.Length + 1) / 2];
        float[] magnitudes = new float[(x.Length + block - 1) / block], y = new float[x.Length];
        fixed (float* from = x, to = y, m = magnitudes)
        fixed (byte* p = packed)
        {
            Bnb4.Quantize(type, from, x.Length, block, p, m);
            Bnb4.Dequantize(type, p, m, block, x.Length, to);
        }
        packed.ShouldBe(Bnb4Cases.Bytes(name + "|packed"));
        BitsOf(magnitudes).ShouldBe(BitsOf(Bnb4Cases.Floats(name + "|absmax")));
        SameValues(name, y);
    }

    [Theory, MemberData(nameof(FourBit))]
    public void Blocks_in_memory_hold_the_same(string name)
    {
        (DType type, int block, float[] x) = Case(name);
        if (x.Length % 64 != 0 || block % 64 != 0)
            return;
        byte[] packed = Bnb4Cases.Bytes(name + "|packed"), blocks = new byte[type.Bytes(x.Length)], again = new byte[packed.Length];
        float[] magnitudes = Bnb4Cases.Floats(name + "|absmax"), y = new float[x.Length], separate = new float[x.Length / 64];
        fixed (float* m = magnitudes, to = y, s = separate)
        fixed (byte* p = packed, b = blocks, a = again)
        {
            Bnb4.ToBlocks(p, m, block, x.Length, b);
            BlockFormats.Dequantize(type, b, 0, x.Length, to);
            Bnb4.FromBlocks(b, x.Length, a, s);
        }
        SameValues(name, y);
        again.ShouldBe(packed);
        separate.ShouldBe(Enumerable.Range(0, separate.Length).Select(i => magnitudes[i * 64 / block]));
        if (block != 64)
            return;
        byte[] made = new byte[blocks.Length];
        fixed (float* from = x)
        fixed (byte* to = made)
            BlockFormats.Quantize(type, from, x.Length, to);
        made.ShouldBe(blocks);
    }

    [Theory, MemberData(nameof(Doubled))]
    public void Double_quantisation(string name)
    {
        float[] magnitudes = Bnb4Cases.Floats(name.Replace("|dq", "|plain", StringComparison.Ordinal) + "|absmax");
        float offset = Bnb4Cases.Floats(name + "|offset")[0];
        NestedMagnitudes nested = NestedMagnitudes.Quantize(magnitudes);
        // the mean is torch's to the last unit
        Math.Abs(BitConverter.SingleToInt32Bits(nested.Offset) - BitConverter.SingleToInt32Bits(offset)).ShouldBeLessThanOrEqualTo(1);
        nested.Codes.ShouldBe(Bnb4Cases.Bytes(name + "|absmax_q"));
        float[] restored = new float[magnitudes.Length];
        NestedMagnitudes.Restore(DynamicMap.Signed, nested.Codes, Bnb4Cases.Floats(name + "|nested_absmax"), 256, offset, restored);
        BitsOf(restored).ShouldBe(BitsOf(Bnb4Cases.Floats(name + "|absmax_restored")));
        if (nested.Offset == offset)
            BitsOf(nested.Magnitudes).ShouldBe(BitsOf(Bnb4Cases.Floats(name + "|nested_absmax")));
    }

    [Theory, MemberData(nameof(Doubled))]
    public void Nested_magnitudes_stay_nested_in_memory(string name)
    {
        string[] parts = name.Split('|');
        DType plain = parts[1] == "nf4" ? DType.NF4 : DType.FP4, type = plain == DType.NF4 ? DType.NF4DQ : DType.FP4DQ;
        float[] x = Matrix(parts[0]);
        if (x.Length % 64 != 0 || parts[2] != "64")
            return;
        NestedMagnitudes nested = new() { Codes = Bnb4Cases.Bytes(name + "|absmax_q"), Magnitudes = Bnb4Cases.Floats(name + "|nested_absmax"), Offset = Bnb4Cases.Floats(name + "|offset")[0] };
        byte[] packed = Bnb4Cases.Bytes(name.Replace("|dq", "|plain", StringComparison.Ordinal) + "|packed"), blocks = new byte[plain.Bytes(x.Length)], tensor = new byte[type.Bytes(x.Length)], again = new byte[blocks.Length];
        float[] y = new float[x.Length], some = new float[x.Length];
        fixed (float* m = new float[x.Length / 64], to = y)
        fixed (byte* p = packed, b = blocks, t = tensor, a = again)
        {
            Bnb4.ToBlocks(p, m, 64, x.Length, b);
            Bnb4.Nest(b, x.Length, nested, t);
            BlockFormats.Dequantize(type, t, 0, x.Length, to);
            NestedMagnitudes found = Bnb4.Unnest(t, x.Length, a);
            found.Codes.ShouldBe(nested.Codes);
            BitsOf(found.Magnitudes).ShouldBe(BitsOf(nested.Magnitudes));
            found.Offset.ShouldBe(nested.Offset);
            BitsOf(Bnb4.MagnitudesOf(a, x.Length)).ShouldBe(BitsOf(Bnb4Cases.Floats(name + "|absmax_restored")));
        }
        SameValues(name, y);
        tensor.LongLength.ShouldBeLessThanOrEqualTo(x.Length / 2 + x.Length / 64 + 8 * (x.Length / (64 * 256) + 1) + 256);
        Random random = new(3);
        for (int i = 0; i < 100; i++)
        {
            int first = random.Next(x.Length), count = random.Next(Math.Min(20_000, x.Length - first) + 1);
            fixed (float* to = some)
            fixed (byte* t = tensor)
                BlockFormats.Dequantize(type, t, first, count, to);
            BitsOf(some.AsSpan(0, count)).ShouldBe(BitsOf(y.AsSpan(first, count)));
        }
    }

    [Theory]
    [InlineData(DType.NF4DQ)]
    [InlineData(DType.FP4DQ)]
    public void Whole_tensors_are_nested_where_they_are_written(DType type)
    {
        Random random = new(11);
        // more than two groups of 256 blocks
        float[] x = [.. Enumerable.Range(0, 64 * 600).Select(_ => random.NextSingle() - 0.5f)], plain = new float[x.Length], y = new float[x.Length];
        byte[] blocks = new byte[type.WithoutNesting().Bytes(x.Length)], tensor = new byte[type.Bytes(x.Length)];
        fixed (float* from = x, to = y, p = plain)
        fixed (byte* t = tensor, b = blocks)
        {
            BlockFormats.Quantize(type, from, x.Length, t);
            BlockFormats.Dequantize(type, t, 0, x.Length, to);
            BlockFormats.Quantize(type.WithoutNesting(), from, x.Length, b);
            float[] magnitudes = Bnb4.MagnitudesOf(b, x.Length);
            NestedMagnitudes.Quantize(magnitudes).Restore(magnitudes);
            for (int i = 0; i < magnitudes.Length; i++)
                *(float*)(b + 36 * i) = magnitudes[i];
            BlockFormats.Dequantize(type.WithoutNesting(), b, 0, x.Length, p);
        }
        BitsOf(y).ShouldBe(BitsOf(plain));
    }

    [Theory, MemberData(nameof(Dynamic))]
    public void Eight_bits_in_blocks(string name)
    {
        string[] parts = name.Split('|');
        int block = int.Parse(parts[2], CultureInfo.InvariantCulture);
        bool signed = parts[1] == "dynamic_signed";
        float[] x = Matrices.Floats(parts[0]);
        if (!signed)
            x = [.. x.Select(Math.Abs)];
        byte[] codes = new byte[x.Length];
        float[] magnitudes = new float[(x.Length + block - 1) / block], y = new float[x.Length];
        ReadOnlySpan<float> map = signed ? DynamicMap.Signed : DynamicMap.Unsigned;
        DynamicMap.Quantize(map, x, block, codes, magnitudes);
        codes.ShouldBe(Bnb8Cases.Bytes(name + "|q"));
        BitsOf(magnitudes).ShouldBe(BitsOf(Bnb8Cases.Floats(name + "|absmax")));
        DynamicMap.Dequantize(map, codes, magnitudes, block, y);
        BitsOf(y).ShouldBe(BitsOf(Bnb8Cases.Floats(name + "|deq")));
    }

    [Theory]
    [InlineData("normal_64x64|float32")]
    [InlineData("normal_64x64|float16")]
    [InlineData("heavy_96x160|float32")]
    [InlineData("heavy_96x160|float16")]
    [InlineData("odd_33x77|float32")]
    [InlineData("odd_33x77|float16")]
    public void Eight_bits_in_rows(string name)
    {
        string[] parts = name.Split('|');
        float[] x = Matrices.Floats(parts[0]);
        if (parts[1] == "float16")
            x = [.. x.Select(value => (float)(Half)value)];
        int[] shape = Int8Cases.Shape(name + "|q");
        // rows are filled up with zeros to whole blocks
        int rows = shape[0], columns = shape[1], wide = (columns + 63) / 64 * 64;
        float[] padded = new float[rows * wide], y = new float[padded.Length];
        for (int row = 0; row < rows; row++)
            x.AsSpan(row * columns, columns).CopyTo(padded.AsSpan(row * wide));
        byte[] blocks = new byte[DType.Int8Row.Bytes(padded.Length)];
        fixed (float* from = padded, to = y)
        fixed (byte* b = blocks)
        {
            BlockFormats.QuantizeRows(DType.Int8Row, from, rows, wide, b);
            BlockFormats.Dequantize(DType.Int8Row, b, 0, y.Length, to);
        }
        byte[] q = Int8Cases.Bytes(name + "|q");
        float[] magnitudes = Int8Cases.Floats(name + "|scb"), values = Int8Cases.Floats(name + "|deq");
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                int at = row * wide + column;
                blocks[at / 64 * 68 + 4 + at % 64].ShouldBe(q[row * columns + column]);
                BitConverter.SingleToInt32Bits(y[at]).ShouldBe(BitConverter.SingleToInt32Bits(values[row * columns + column]), $"row {row}, column {column}");
            }
            BitConverter.ToSingle(blocks, row * wide / 64 * 68).ShouldBe(magnitudes[row]);
        }
    }

    private static (DType Type, int Block, float[] X) Case(string name)
    {
        string[] parts = name.Split('|');
        return (parts[1] == "nf4" ? DType.NF4 : DType.FP4, int.Parse(parts[2], CultureInfo.InvariantCulture), Matrix(parts[0]));
    }

    private static float[] Matrix(string name) => (Matrices.Has(name) ? Matrices : new StoredGolden(Golden("matrix_nested.safetensors"))).Floats(name);

    // values were rounded to the source's type
    private static void SameValues(string name, float[] y)
    {
        string key = name + "|deq";
        if (!Bnb4Cases.Has(key))
            return;
        float[] expected = Bnb4Cases.Floats(key);
        DType stored = Bnb4Cases.Type(key) switch { "F16" => DType.F16, "BF16" => DType.BF16, _ => DType.F32 };
        byte[] narrow = new byte[stored.Bytes(y.Length)];
        float[] rounded = new float[y.Length];
        fixed (float* from = y, to = rounded)
        fixed (byte* n = narrow)
        {
            BlockFormats.Quantize(stored, from, y.Length, n);
            BlockFormats.Dequantize(stored, n, 0, y.Length, to);
        }
        BitsOf(rounded).ShouldBe(BitsOf(expected));
    }

    private static TheoryData<string> Cases(StoredGolden file, string part, string end) =>
        [.. file.Names.Where(name => name.EndsWith(end + "|" + part, StringComparison.Ordinal)).Select(name => name[..^(part.Length + 1)])];

    // the whole set where it lies beside the repository, else the part that is kept here
    private static string Golden(string file)
    {
        string all = Path.Combine(GoldenData.Root, "..", "shared", "data", "golden-quant", file);
        return File.Exists(all) ? all : GoldenData.Path("quant", file);
    }

    private static int[] BitsOf(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).ToArray();
}
