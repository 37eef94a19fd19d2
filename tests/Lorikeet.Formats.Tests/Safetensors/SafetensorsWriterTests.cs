using System.Text;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("golden-peft")]
    [InlineData("golden-quant")]
    [InlineData("golden-models")]
    [InlineData("golden-diffusion")]
    public void Files_of_the_reference_are_written_back_byte_for_byte(string set)
    {
        int count = 0;
        foreach (string path in Directory.EnumerateFiles(GoldenData.Shared(set), "*.safetensors", SearchOption.AllDirectories))
        {
            if (path.Contains("/bad/", StringComparison.Ordinal) || new FileInfo(path).Length > 1 << 20)
                continue;
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Written(file).AsSpan().SequenceEqual(File.ReadAllBytes(path)).ShouldBeTrue(path);
            count++;
        }
        count.ShouldBeGreaterThan(9);
    }

    [Fact]
    public void Small_files_are_written_back_byte_for_byte()
    {
        foreach (string name in new[] { "multi_layer.safetensors", "tensor-4d-float32.safetensors" })
        {
            string path = GoldenData.Path("conf-safetensors", name);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Written(file).AsSpan().SequenceEqual(File.ReadAllBytes(path)).ShouldBeTrue(name);
        }
    }

    [Fact]
    public void Wider_types_come_first_and_names_sort_inside_a_type()
    {
        string path = _folder.File("t.safetensors");
        SafetensorsWriter.Write(path,
            [Entry("a", DType.F16, 2), Entry("b", DType.I64, 8), Entry("z", DType.F32, 4), Entry("B", DType.F32, 4), Entry("c", DType.BF16, 2), Entry("\"é\n", DType.F32, 4)],
            SafetensorsWriter.TorchFormat);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        file.Names.ShouldBe(["b", "\"é\n", "B", "z", "c", "a"]);
        file.Metadata.ShouldBe([new("format", "pt")]);
        byte[] bytes = File.ReadAllBytes(path);
        Encoding.UTF8.GetString(bytes.AsSpan(8)).ShouldStartWith("""{"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"\"é\n":{"dtype":"F32",""");
        (BitConverter.ToInt64(bytes) % 8).ShouldBe(0);
    }

    [Fact]
    public void No_tensors_and_no_metadata_make_a_valid_file()
    {
        string path = _folder.File("t.safetensors");
        SafetensorsWriter.Write(path, [], null);
        File.ReadAllBytes(path).ShouldBe([8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        file.Names.ShouldBeEmpty();
    }

    [Fact]
    public void What_cannot_be_written_is_refused_and_leaves_the_old_file()
    {
        string path = _folder.Write("t.safetensors", "old");
        Should.Throw<ArgumentException>(() => SafetensorsWriter.Write(path, [Entry("t", DType.U8, 1), Entry("t", DType.U8, 1)], null)).Message.ShouldContain("\"t\"");
        Should.Throw<ArgumentException>(() => SafetensorsWriter.Write(path, [Entry("q", DType.Q4_0, 18)], null)).Message.ShouldContain("Q4_0");
        Should.Throw<ArgumentException>(() => SafetensorsWriter.Write(path, [new SafetensorsEntry("t", DType.F32, [2], stream => stream.Write(new byte[7]))], null)).Message.ShouldContain("wrote 7 bytes, its type and shape take 8");
        Should.Throw<InputException>(() => SafetensorsWriter.Write(path, [new SafetensorsEntry("t", DType.F32, [2], _ => throw new IOException("No space left on device"))], null));
        File.ReadAllText(path).ShouldBe("old");
        _folder.Entries.ShouldBe(["t.safetensors"]);
    }

    [Fact]
    public void A_file_can_be_replaced_while_it_is_mapped()
    {
        string path = _folder.File("t.safetensors");
        SafetensorsWriter.Write(path, [Entry("t", DType.U8, 1)], null);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsWriter.Write(path, [new SafetensorsEntry("renamed", file.Find("t")!)], null);
        file.Find("t")!.Bytes.Span.ToArray().ShouldBe([1]);
        using SafetensorsFile newer = SafetensorsFile.Open(path);
        newer.Names.ShouldBe(["renamed"]);
    }

    private static byte[] Written(SafetensorsFile file)
    {
        MemoryStream stream = new();
        // the order given must not matter
        SafetensorsWriter.Write(stream, file.Names.Reverse().Select(name => new SafetensorsEntry(file.Find(name)!)), file.Metadata.Count == 0 ? null : file.Metadata);
        return stream.ToArray();
    }

    private static SafetensorsEntry Entry(string name, DType type, int bytes) =>
        new(name, type, [bytes / type.BlockBytes() * type.BlockSize()], stream => stream.Write([.. Enumerable.Repeat((byte)bytes, bytes)]));
}
