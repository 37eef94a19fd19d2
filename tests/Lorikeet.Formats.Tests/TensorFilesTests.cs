using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class TensorFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_are_told_apart_by_their_contents()
    {
        Kind(Copy(GoldenData.Path("conf-safetensors", "empty.gguf"))).ShouldBe(typeof(GgufFile));
        Kind(Copy(GoldenData.Path("conf-safetensors", "multi_layer.safetensors"))).ShouldBe(typeof(SafetensorsFile));
        Kind(Copy(GoldenData.Path("conf-torch-pickle", "test.pt"))).ShouldBe(typeof(TorchPickleFile));
        Kind(Copy(GoldenData.Path("conf-torch-pickle", "src", "pytorch", "tests", "reader", "test_data", "simple_legacy.pt"))).ShouldBe(typeof(TorchPickleFile));
    }

    [Fact]
    public void A_header_whose_length_begins_like_a_pickle_is_a_header()
    {
        string path = _folder.File("t.safetensors");
        string name = "";
        do
        {
            name += "t";
            SafetensorsWriter.Write(path, [new SafetensorsEntry(name, DType.U8, [1], stream => stream.WriteByte(1))], null);
        }
        while (File.ReadAllBytes(path)[..2] is not [0x80, 0x02]);
        Kind(path).ShouldBe(typeof(SafetensorsFile));
    }

    [Fact]
    public void A_folder_gives_its_checkpoint()
    {
        Write("lone.safetensors");
        Kind(_folder.Path).ShouldBe(typeof(SafetensorsFile));
        Write("other.safetensors");
        Should.Throw<InputException>(() => TensorFiles.Open(_folder.Path)).Message.ShouldContain("2 files of tensors and no index");
        _folder.Write("model.safetensors.index.json", """{"weight_map": {"t": "lone.safetensors"}}""");
        Kind(_folder.Path).ShouldBe(typeof(ShardedTensors));
        Write("model.safetensors");
        Kind(_folder.Path).ShouldBe(typeof(SafetensorsFile));
    }

    [Fact]
    public void What_holds_no_tensors_is_refused()
    {
        Should.Throw<InputException>(() => TensorFiles.Open(_folder.Path)).Message.ShouldContain("holds no checkpoint");
        Should.Throw<InputException>(() => TensorFiles.Open(_folder.File("absent"))).Message.ShouldContain("there is no such file or folder");
        Should.Throw<InputException>(() => TensorFiles.Open(_folder.Write("notes.txt", "hello, this is text"))).Message.ShouldContain("neither a safetensors file, nor a GGUF file, nor one that torch saved");
        Should.Throw<InputException>(() => TensorFiles.Open(_folder.Write("empty.safetensors", ""))).Message.ShouldContain("0 bytes");
    }

    private string Copy(string path)
    {
        string copy = _folder.File("no-extension");
        File.Copy(path, copy, overwrite: true);
        return copy;
    }

    private static Type Kind(string path)
    {
        using ITensorSource source = TensorFiles.Open(path);
        return source.GetType();
    }

    private void Write(string name) => SafetensorsWriter.Write(_folder.File(name), [new SafetensorsEntry("t", DType.U8, [1], stream => stream.WriteByte(1))], null);
}
