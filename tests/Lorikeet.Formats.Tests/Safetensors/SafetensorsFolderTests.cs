using Lorikeet.Kernels;

namespace Lorikeet.Formats.Tests;

public sealed class SafetensorsFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_small_checkpoint_is_one_file()
    {
        SafetensorsFolder.Write(_folder.Path, [Entry("a", 10), Entry("b", 20)]);
        _folder.Entries.ShouldBe(["model.safetensors"]);
    }

    [Fact]
    public void A_large_one_is_split_in_the_order_of_the_model_with_an_index()
    {
        SafetensorsFolder.Write(_folder.Path, [Entry("c", 40), Entry("a", 60), Entry("b", 200), Entry("d", 30)], shardBytes: 100);
        _folder.Entries.ShouldBe(["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"]);
        File.ReadAllText(_folder.File("model.safetensors.index.json")).ShouldBe("""
            {
              "metadata": {
                "total_parameters": 330,
                "total_size": 330
              },
              "weight_map": {
                "a": "model-00001-of-00003.safetensors",
                "b": "model-00002-of-00003.safetensors",
                "c": "model-00001-of-00003.safetensors",
                "d": "model-00003-of-00003.safetensors"
              }
            }

            """);
        using ShardedTensors all = ShardedTensors.Open(_folder.File("model.safetensors.index.json"));
        all.Names.Order().ShouldBe(["a", "b", "c", "d"]);
        all.Find("b")!.Bytes.Length.ShouldBe(200);
    }

    private static SafetensorsEntry Entry(string name, int bytes) => new(name, DType.U8, [bytes], stream => stream.Write(new byte[bytes]));
}
