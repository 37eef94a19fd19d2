using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class ConvertedTensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(DType.NF4DQ)]
    [InlineData(DType.Int8Row)]
    [InlineData(DType.Q8_0)]
    public void A_file_takes_no_memory_when_its_matrices_are_converted(DType type)
    {
        string path = _folder.File("model.safetensors");
        ushort[] one = [.. Enumerable.Repeat((ushort)0x3F80, 1 << 20)];
        SafetensorsWriter.Write(path, [new SafetensorsEntry("m.weight", DType.BF16, [1024, 1024], stream => stream.Write(MemoryMarshal.AsBytes(one.AsSpan())))], null);
        ITensorSource file = TensorFiles.Open(path);
        using ConvertedTensors source = new(file, type);
        StoredTensor weight = source.Find("m.weight")!;
        weight.Type.ShouldBe(type);
        FilePages.Resident(path).ShouldBeLessThan(1 << 17, "of 2 MB, the header and what shares a page with it");
        // who asks for the file's own values still gets them
        MemoryMarshal.Cast<byte, ushort>(file.Find("m.weight")!.Bytes.Span).SequenceEqual(one).ShouldBeTrue();
    }

    public void Dispose() => _folder.Dispose();
}
