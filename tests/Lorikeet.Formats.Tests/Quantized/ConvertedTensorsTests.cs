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

    [Theory]
    [InlineData(DType.Q4_K, 512, DType.Q4_K)]
    [InlineData(DType.Q4_K, 96, DType.Q5_0)]
    [InlineData(DType.Q6_K, 96, DType.Q8_0)]
    [InlineData(DType.IQ4_XS, 96, DType.IQ4_NL)]
    [InlineData(DType.Q4_K, 40, DType.F32)]
    [InlineData(DType.Q4_0, 40, DType.F32)]
    public void Rows_that_are_no_whole_blocks_are_kept_as_llama_cpp_keeps_them_and_that_is_told(DType asked, int columns, DType taken)
    {
        string path = _folder.File("model.safetensors");
        SafetensorsWriter.Write(path, [new SafetensorsEntry("m.weight", DType.F32, [2, columns], stream => stream.Write(new byte[2 * columns * sizeof(float)]))], null);
        using ConvertedTensors source = new(TensorFiles.Open(path), asked);
        source.Find("m.weight")!.Type.ShouldBe(taken);
        if (asked == taken)
            source.Remarks.ShouldBeEmpty();
        else
            source.Remarks.ShouldHaveSingleItem().ShouldBe($"1 matrix is not kept as {WeightStorage.NameOf(asked)} but as {WeightStorage.NameOf(taken)}, for rows are not whole blocks of {asked.BlockSize()}: m.weight");
    }

    public void Dispose() => _folder.Dispose();
}
