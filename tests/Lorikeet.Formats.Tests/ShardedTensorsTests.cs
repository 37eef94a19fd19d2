using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class ShardedTensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_come_from_the_shard_that_the_index_names()
    {
        Shard("one.safetensors", ("a", 1), ("both", 1));
        Shard("two.safetensors", ("b", 2), ("both", 2), ("unlisted", 3));
        using ShardedTensors all = Open("""{"weight_map": {"a": "one.safetensors", "b": "two.safetensors", "both": "two.safetensors"}}""");
        all.Find("a")!.Bytes.Length.ShouldBe(1);
        all.Find("both")!.Bytes.Length.ShouldBe(2);
        all.Find("unlisted")!.Bytes.Length.ShouldBe(3);
        all.Find("absent").ShouldBeNull();
        all.Names.Order().ShouldBe(["a", "b", "both", "unlisted"]);
    }

    [Fact]
    public void Every_problem_is_told_at_once()
    {
        Shard("one.safetensors", ("a", 1));
        _folder.Write("broken.safetensors", "abc");
        InputException e = Should.Throw<InputException>(() => Open("""
            {"weight_map": {"a": "one.safetensors", "lost": "one.safetensors", "x": "gone.safetensors", "y": "gone.safetensors", "z": "broken.safetensors",
             "up": "../one.safetensors", "n": 3}}
            """));
        e.Problems.Count.ShouldBe(5);
        e.Message.ShouldContain("tensor \"lost\" is not in one.safetensors");
        e.Message.ShouldContain("gone.safetensors is missing; the index puts 2 tensors there");
        e.Message.ShouldContain("broken.safetensors");
        e.Message.ShouldContain("`weight_map.up`: found \"../one.safetensors\", expected the name of a file in the same folder");
        e.Message.ShouldContain("`weight_map.n`: found 3");
    }

    [Fact]
    public void An_index_without_a_map_is_refused() =>
        Should.Throw<InputException>(() => Open("""{"metadata": {}}""")).Message.ShouldContain("`weight_map` is missing");

    private ShardedTensors Open(string index) => ShardedTensors.Open(_folder.Write("model.safetensors.index.json", index));

    private void Shard(string name, params (string Name, int Bytes)[] tensors) => SafetensorsWriter.Write(
        _folder.File(name),
        tensors.Select(tensor => new SafetensorsEntry(tensor.Name, DType.U8, [tensor.Bytes], stream => stream.Write(new byte[tensor.Bytes]))),
        null);
}
