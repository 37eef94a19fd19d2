using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class GgufFileTests : IDisposable
{
    private const uint F32 = 0, Q4_0 = 2, Iq2Xxs = 16;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Metadata_of_every_type_are_read()
    {
        using GgufFile file = Open(new GgufBytes()
            .Pair("u8", 0, (byte)200).Pair("i8", 1, (sbyte)-5).Pair("u16", 2, (ushort)60000).Pair("i16", 3, (short)-3)
            .Pair("u32", 4, 4_000_000_000u).Pair("i32", 5, -7).Pair("f32", 6, 1.5f).Pair("yes", 7, true).Pair("text", 8, "grüße")
            .Pair("u64", 10, ulong.MaxValue).Pair("i64", 11, long.MinValue).Pair("f64", 12, 1e-300)
            .Pair("ints", 9, 5u, 3UL, 1, -2, 3).Pair("bytes", 9, 0u, 2UL, (byte)1, (byte)255).Pair("floats", 9, 6u, 2UL, 0.5f, -1f)
            .Pair("texts", 9, 8u, 2UL, "a", "").Pair("flags", 9, 7u, 1UL, true).Pair("none", 9, 8u, 0UL)
            .Pair("nested", 9, 9u, 2UL, 5u, 1UL, 4, 8u, 1UL, "x"));
        GgufMetadata data = file.Metadata;
        data.Integer("u8").ShouldBe(200);
        data.Integer("i8").ShouldBe(-5);
        data.Integer("u16").ShouldBe(60000);
        data.Integer("i16").ShouldBe(-3);
        data.Integer("u32").ShouldBe(4_000_000_000);
        data.Integer("i32").ShouldBe(-7);
        data.Number("i32").ShouldBe(-7.0);
        data.Number("f32").ShouldBe(1.5);
        data.Flag("yes").ShouldBe(true);
        data.Text("text").ShouldBe("grüße");
        data["u64"].ShouldBe(ulong.MaxValue);
        data.Integer("i64").ShouldBe(long.MinValue);
        data.Number("f64").ShouldBe(1e-300);
        data.Integers("ints").ShouldBe([1, -2, 3]);
        data.Integers("bytes").ShouldBe([1, 255]);
        data.Numbers("floats").ShouldBe([0.5f, -1f]);
        data.Texts("texts").ShouldBe(["a", ""]);
        data["flags"].ShouldBe(new[] { true });
        data.Texts("none").ShouldBe([]);
        ((object[])data["nested"])[1].ShouldBe(new[] { "x" });
        data.Keys.Take(3).ShouldBe(["u8", "i8", "u16"]);
        data.Integer("absent").ShouldBeNull();
        data.Text("absent").ShouldBeNull();
        data.Texts("absent").ShouldBeNull();
    }

    [Fact]
    public void A_metadata_value_of_another_kind_is_told()
    {
        using GgufFile file = Open(new GgufBytes().Pair("text", 8, "four").Pair("u64", 10, ulong.MaxValue).Pair("texts", 9, 8u, 1UL, "a"));
        Should.Throw<InputException>(() => file.Metadata.Integer("text")).Message.ShouldEndWith("metadata text: found the string \"four\", expected a whole number");
        Should.Throw<InputException>(() => file.Metadata.Integer("u64")).Message.ShouldContain("18446744073709551615 (UInt64)");
        Should.Throw<InputException>(() => file.Metadata.Integers("texts")).Message.ShouldContain("found an array of 1 String, expected an array of whole numbers");
        Should.Throw<InputException>(() => file.Metadata.Flag("text")).Message.ShouldContain("expected true or false");
    }

    [Fact]
    public void Tensors_are_given_outermost_size_first_with_their_blocks()
    {
        byte[] blocks = [.. Enumerable.Range(0, 36).Select(i => (byte)i)];
        using GgufFile file = Open(new GgufBytes { Version = 2 }
            .Tensor("blk.0.weight", Q4_0, [32, 2], blocks)
            .Tensor("norm", F32, [3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
            .Tensor("scalar", F32, [], [0, 0, 128, 63])
            .Tensor("nothing", F32, [0, 5], []));
        file.Version.ShouldBe(2);
        file.Names.ShouldBe(["blk.0.weight", "norm", "scalar", "nothing"]);
        StoredTensor weight = file.Find("blk.0.weight")!;
        weight.Type.ShouldBe(DType.Q4_0);
        weight.Shape.ShouldBe([2, 32]);
        weight.Bytes.Span.ToArray().ShouldBe(blocks);
        file.Find("norm")!.Bytes.Span[11].ShouldBe((byte)12);
        file.Find("scalar")!.Shape.ShouldBeEmpty();
        file.Find("nothing")!.Bytes.Length.ShouldBe(0);
        file.Find("absent").ShouldBeNull();
    }

    [Fact]
    public void Another_alignment_is_followed()
    {
        using GgufFile file = Open(new GgufBytes { Alignment = 64 }.Pair("general.alignment", 4, 64u).Tensor("a", F32, [1], [1, 0, 0, 0]).Tensor("b", F32, [1], [2, 0, 0, 0]));
        file.Alignment.ShouldBe(64);
        file.Find("b")!.Bytes.Span[0].ShouldBe((byte)2);
    }

    [Fact]
    public void An_empty_file_of_the_format_has_metadata_and_no_tensors()
    {
        using GgufFile file = GgufFile.Open(GoldenData.Path("conf-safetensors", "empty.gguf"));
        file.Metadata.Text("general.architecture").ShouldBe("llama");
        file.Names.ShouldBeEmpty();
    }

    [Fact]
    public void A_header_whose_data_were_cut_off_is_refused() =>
        Should.Throw<InputException>(() => GgufFile.Open(GoldenData.Path("conf-safetensors", "tiny.gguf")))
            .Problems.ShouldHaveSingleItem().ShouldStartWith("tensor test.weight.0: its 32768 bytes at offset 0 do not lie in the file");

    [Fact]
    public void What_is_of_another_kind_is_named()
    {
        Refused(new GgufBytes { Version = 1 }.ToArray(), "it is of version 1");
        Refused(new GgufBytes { Version = 4 }.ToArray(), "it is of version 4; versions 2 and 3 are read");
        Refused(new GgufBytes { Version = 0x03000000 }.ToArray(), "it is big-endian");
        Refused([.. "tjgg"u8, 1, 0, 0, 0], "older than GGUF");
        Refused("hello, this is a text"u8, "does not begin with the letters GGUF");
        Refused([], "it ends at byte 0");
        Refused("GGUF"u8, "in the middle of its version");
    }

    [Fact]
    public void Lying_counts_and_lengths_are_refused_before_anything_is_allocated()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(new GgufBytes { ExtraTensors = 1UL << 60 }.ToArray(), "it claims 1152921504606846976 tensors");
        Refused(new GgufBytes { ExtraTensors = 1_000_000 }.ToArray(), "it claims 1000000 tensors");
        Refused(new GgufBytes { ExtraPairs = ulong.MaxValue }.ToArray(), "metadata entries");
        Refused(new GgufBytes().Pair("a", 9, 5u, 1UL << 61, 1).ToArray(), "elements of a");
        Refused(new GgufBytes().Pair("a", 9, 8u, 1UL << 30, "x").ToArray(), "elements of a");
        Refused(new GgufBytes().Pair("a", 9, 9u, 1UL, 9u, 1UL, 9u, 1UL, 9u, 1UL, 9u, 1UL, 5u, 0UL).ToArray(), "nests arrays");
        Refused([.. "GGUF"u8, 3, 0, 0, 0, .. new byte[8], 1, .. new byte[7], .. BitConverter.GetBytes(ulong.MaxValue), .. new byte[32]], "a metadata key claims a length of 18446744073709551615 bytes");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4_000_000);
    }

    [Fact]
    public void Damaged_metadata_are_refused()
    {
        Refused(new GgufBytes().Pair("a", 99, (byte)1).ToArray(), "the metadata a has the unknown type 99");
        Refused(new GgufBytes().Pair("a", 9, 99u, 0UL).ToArray(), "array of the unknown type 99");
        Refused(new GgufBytes().Pair("a", 0, (byte)1).Pair("a", 0, (byte)2).ToArray(), "the metadata a occurs twice");
        Refused(new GgufBytes().Pair("general.alignment", 4, 33u).ToArray(), "general.alignment is 33, expected a power of two");
        Refused(new GgufBytes().Pair("general.alignment", 4, 0u).ToArray(), "general.alignment is 0");
        Refused(new GgufBytes().Pair("general.alignment", 8, "x").ToArray(), "general.alignment: found the string");
    }

    [Fact]
    public void Every_bad_tensor_is_told_at_once()
    {
        byte[] four = new byte[4];
        InputException e = Should.Throw<InputException>(() => Open(new GgufBytes()
            .Tensor("twice", F32, [1], four).Tensor("twice", F32, [1], four)
            .Tensor("far", F32, [1], four, offset: 1UL << 40).Tensor("farther", F32, [1], four, offset: ulong.MaxValue - 31)
            .Tensor("odd", F32, [1], four, offset: 4)
            .Tensor("large", F32, [1UL << 40, 1UL << 40], four).Tensor("negative", F32, [ulong.MaxValue], four)
            .Tensor("rows", Q4_0, [31, 32], new byte[18]).Tensor("unread", Iq2Xxs, [256], four)));
        e.Problems.Count.ShouldBe(8);
        e.Message.ShouldContain("tensor twice: occurs twice");
        e.Message.ShouldContain("tensor far: its 4 bytes at offset 1099511627776 do not lie in the file");
        e.Message.ShouldContain("tensor farther: ");
        e.Message.ShouldContain("tensor odd: its offset 4 is not a multiple of the alignment 32");
        e.Message.ShouldContain("tensor large: its sizes 1099511627776 × 1099511627776 are more than any file can hold");
        e.Message.ShouldContain("tensor negative: ");
        e.Message.ShouldContain("tensor rows: its rows have 31 elements, but Q4_0 stores 32 together");
        e.Message.ShouldContain("tensor unread: is stored as IQ2_XXS, which is not read");
    }

    [Fact]
    public void Overlapping_and_overdimensioned_tensors_are_refused()
    {
        Refused(new GgufBytes().Tensor("a", F32, [16], new byte[64]).Tensor("b", F32, [16], new byte[64], offset: 32).ToArray(), "tensor b: its data at offset 32 overlap those of a");
        Refused(new GgufBytes().Tensor("a", F32, [1, 1, 1, 1, 1], new byte[4]).ToArray(), "tensor a claims 5 dimensions");
    }

    [Fact]
    public void A_real_model_opens_with_its_vocabulary_and_weights()
    {
        using GgufFile file = GgufFile.Open(GoldenData.Shared("model-smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        file.Metadata.Text("general.architecture").ShouldBe("llama");
        file.Metadata.Texts("tokenizer.ggml.tokens")!.Length.ShouldBe(49152);
        file.Find("token_embd.weight")!.Shape.ShouldBe([49152, 576]);
        file.Find("blk.0.attn_k.weight")!.Shape.ShouldBe([192, 576]);
    }

    [Fact]
    public void Every_quantised_form_of_one_model_opens()
    {
        foreach (string path in Directory.EnumerateFiles(GoldenData.Shared("golden-random256-gguf"), "*.gguf"))
        {
            using GgufFile file = GgufFile.Open(path);
            file.Find("blk.0.ffn_down.weight")!.Shape.ShouldBe([256, 512], path);
            file.Names.All(name => BlockFormats.CanDequantize(file.Find(name)!.Type)).ShouldBeTrue(path);
        }
    }

    private GgufFile Open(GgufBytes bytes) => GgufFile.Open(_folder.Write("t.gguf", bytes.ToArray()));

    private void Refused(ReadOnlySpan<byte> bytes, string problem)
    {
        string path = _folder.Write("bad.gguf", bytes);
        InputException e = Should.Throw<InputException>(() => GgufFile.Open(path));
        e.Message.ShouldStartWith(path);
        e.Message.ShouldContain(problem);
    }
}
