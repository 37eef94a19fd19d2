using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public sealed class QuantizedTensorsTests
{
    private static readonly JsonElement Index = JsonDocument.Parse(File.ReadAllText(GoldenData.Path("quant", "index.json"))).RootElement;

    public static TheoryData<string> Packed => [.. Index.GetProperty("packed_checkpoints").EnumerateArray().Select(entry => entry.GetProperty("id").GetString()!)];

    [Theory, MemberData(nameof(Packed))]
    public void Integers_in_groups_have_the_values_of_the_reference(string id)
    {
        JsonElement config = Index.GetProperty("packed_checkpoints").EnumerateArray().Single(entry => entry.GetProperty("id").GetString() == id);
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "packed_checkpoints.safetensors"));
        using ITensorSource source = QuantizedTensors.Wrap(Module(file, id, "qweight", "qzeros", "scales", "g_idx"), config, "config.json");
        source.Names.ShouldBe(["m.weight"]);
        StoredTensor weight = source.Find("m.weight")!;
        Values(weight).ShouldBe(Values(file.Find(id + "|weight")!));
        bool ordered = config.TryGetProperty("desc_act", out JsonElement stated) && stated.GetBoolean();
        weight.Type.IsBlocked().ShouldBe(config.GetProperty("group_size").GetInt32() % 32 == 0);
        (weight.Order is not null).ShouldBe(ordered && weight.Type.IsBlocked());
        source.Remarks.Count.ShouldBe(weight.Type.IsBlocked() ? 0 : 1);
    }

    [Fact]
    public void Groups_of_other_sizes_than_whole_blocks_are_widened_and_said_to_be()
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "gptq-llama", "model.safetensors"));
        Dictionary<string, StoredTensor> tensors = All(file);
        const string layer = "model.layers.0.self_attn.q_proj";
        int[] groups = [.. Enumerable.Range(0, 64).Select(i => i < 40 ? 1 : 0)];
        tensors[layer + ".g_idx"] = Stored(layer + ".g_idx", DType.I32, MemoryMarshal.AsBytes(groups.AsSpan()).ToArray());
        using ITensorSource source = QuantizedTensors.Wrap(new ListedTensors(tensors), JsonDocument.Parse("""{"quant_method": "gptq", "bits": 4, "group_size": 32}""").RootElement, "config.json");
        source.Find(layer + ".weight")!.Type.ShouldBe(DType.F32);
        source.Remarks.ShouldHaveSingleItem().ShouldStartWith("1 quantised weights are kept as f32");
        // a group's columns keep their own scale and zero wherever they are
        ReadOnlySpan<Half> scales = MemoryMarshal.Cast<byte, Half>(tensors[layer + ".scales"].Bytes.Span);
        Tensor wide = Tensor.FromStored(source.Find(layer + ".weight")!, new Shape(64, 64));
        float step = (float)scales[64 + 3], first = wide.Row(3)[0];
        (first / step).ShouldBe(MathF.Round(first / step), 1e-3f);
    }

    [Fact]
    public void A_file_takes_no_memory_when_its_weight_is_put_together()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("model.safetensors");
        SafetensorsWriter.Write(path,
            [
                new SafetensorsEntry("m.weight", DType.I8, [1024, 1024], stream => stream.Write(new byte[1 << 20])),
                new SafetensorsEntry("m.SCB", DType.F32, [1024], stream => stream.Write(new byte[4096])),
            ], null);
        using ITensorSource source = QuantizedTensors.Wrap(TensorFiles.Open(path), null, "config.json");
        source.Find("m.weight")!.Type.ShouldBe(DType.Int8Row);
        // header, magnitudes and what shares a page with them
        FilePages.Resident(path).ShouldBeLessThan(1 << 17);
    }

    [Fact]
    public void What_is_missing_or_damaged_is_reported_all_at_once()
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "nf4-llama", "model.safetensors"));
        Dictionary<string, StoredTensor> tensors = All(file);
        const string layer = "model.layers.0.self_attn.";
        tensors.Remove(layer + "q_proj.weight.absmax");
        tensors.Remove(layer + "k_proj.weight.nested_absmax");
        tensors.Remove(layer + "v_proj.weight.quant_state.bitsandbytes__nf4");
        tensors.Remove("model.layers.0.mlp.up_proj.weight");
        Replace("o_proj.weight", DType.U8, new byte[7]);
        Replace("o_proj.weight.quant_map", DType.F32, new byte[64]);
        string[] problems = Problems(tensors);
        problems.Length.ShouldBe(5);
        problems.ShouldContain(problem => problem.Contains(layer + "q_proj.weight.absmax is missing"));
        problems.ShouldContain(problem => problem.Contains(layer + "k_proj.weight.nested_absmax"));
        problems.ShouldContain(problem => problem.Contains(layer + "v_proj.weight.quant_state.bitsandbytes__nf4 (or fp4) is missing"));
        problems.ShouldContain(problem => problem.Contains(layer + "o_proj.weight has 7 bytes"));
        problems.ShouldContain(problem => problem.Contains("model.layers.0.mlp.up_proj.weight is missing"));

        void Replace(string name, DType type, byte[] bytes) => tensors[layer + name] = Stored(layer + name, type, bytes);
    }

    [Theory]
    [InlineData("""{"quant_type": "nf4", "blocksize": 64, "shape": [64, 64]""", "not valid JSON")]
    [InlineData("""{"quant_type": "fp4", "blocksize": 64, "shape": [64, 64]}""", "fp4")]
    [InlineData("""{"quant_type": "nf4", "blocksize": 0, "shape": [64, 64]}""", "blocksize")]
    [InlineData("""{"quant_type": "nf4", "blocksize": 64, "shape": [64]}""", "shape")]
    [InlineData("""{"quant_type": "nf4", "blocksize": 64, "shape": [64000000, 64000000]}""", "bytes")]
    [InlineData("""{"quant_type": "nf4", "blocksize": 64}""", "shape")]
    [InlineData("""[]""", "expected an object")]
    public void A_damaged_state_is_refused(string state, string message)
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "nf4-llama", "model.safetensors"));
        Dictionary<string, StoredTensor> tensors = All(file);
        const string name = "model.layers.0.self_attn.q_proj.weight.quant_state.bitsandbytes__nf4";
        tensors[name] = Stored(name, DType.U8, System.Text.Encoding.UTF8.GetBytes(state));
        Problems(tensors).ShouldContain(problem => problem.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Levels_of_other_programs_and_unknown_types_are_refused()
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "fp4-qwen2-plain", "model.safetensors"));
        Dictionary<string, StoredTensor> tensors = All(file);
        const string layer = "model.layers.0.self_attn.";
        tensors[layer + "q_proj.weight.quant_map"] = Stored(layer + "q_proj.weight.quant_map", DType.F32, new byte[64]);
        tensors.Remove(layer + "o_proj.weight.quant_state.bitsandbytes__fp4", out StoredTensor? state);
        tensors[layer + "o_proj.weight.quant_state.bitsandbytes__int2"] = state! with { Name = layer + "o_proj.weight.quant_state.bitsandbytes__int2" };
        string[] problems = Problems(tensors);
        problems.ShouldContain(problem => problem.Contains("q_proj.weight.quant_map holds other levels"));
        problems.ShouldContain(problem => problem.Contains("\"int2\" is not known"));
    }

    [Fact]
    public void Rows_of_eight_bits_need_their_magnitudes()
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "int8-llama", "model.safetensors"));
        Dictionary<string, StoredTensor> tensors = All(file);
        tensors.Remove("model.layers.0.mlp.up_proj.SCB");
        tensors["model.layers.0.mlp.down_proj.weight_format"] = Stored("model.layers.0.mlp.down_proj.weight_format", DType.U8, [2]);
        string[] problems = Problems(tensors);
        problems.Length.ShouldBe(2);
        problems.ShouldContain(problem => problem.Contains("up_proj.SCB is missing"));
        problems.ShouldContain(problem => problem.Contains("down_proj.weight_format is 2"));
    }

    [Fact]
    public void Groups_that_do_not_fit_are_reported_all_at_once()
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "gptq-llama", "model.safetensors"));
        Dictionary<string, StoredTensor> tensors = All(file);
        const string layer = "model.layers.0.self_attn.";
        tensors.Remove(layer + "q_proj.scales");
        tensors[layer + "k_proj.g_idx"] = Stored(layer + "k_proj.g_idx", DType.I32, MemoryMarshal.AsBytes(Enumerable.Repeat(9, 64).ToArray().AsSpan()).ToArray());
        tensors[layer + "v_proj.qzeros"] = Stored(layer + "v_proj.qzeros", DType.I32, new byte[4]);
        JsonElement config = JsonDocument.Parse("""{"quant_method": "gptq", "bits": 4, "group_size": 32}""").RootElement;
        string[] problems = Problems(tensors, config);
        problems.Length.ShouldBe(3);
        problems.ShouldContain(problem => problem.Contains("q_proj.scales"));
        problems.ShouldContain(problem => problem.Contains("names group 9"));
        problems.ShouldContain(problem => problem.Contains("v_proj.qzeros"));
    }

    [Theory]
    [InlineData(4, 8, 12)]
    [InlineData(3, 3, 16)]
    public void Zero_points_that_fill_no_whole_words_are_refused(int bits, int words, int outputs)
    {
        int width = outputs * bits / 32;
        Dictionary<string, StoredTensor> tensors = new()
        {
            ["m.qweight"] = Stored("m.qweight", DType.I32, new byte[4 * words * outputs]) with { Shape = [words, outputs] },
            ["m.scales"] = Stored("m.scales", DType.F16, new byte[2 * outputs]) with { Shape = [1, outputs] },
            ["m.qzeros"] = Stored("m.qzeros", DType.I32, new byte[4 * width]) with { Shape = [1, width] },
        };
        JsonElement config = JsonDocument.Parse($$"""{"quant_method": "gptq", "bits": {{bits}}, "group_size": -1}""").RootElement;
        Problems(tensors, config).ShouldHaveSingleItem().ShouldContain($"{outputs} columns have zero points of {bits} bits");
    }

    [Fact]
    public void A_checkpoint_is_closed_whatever_goes_wrong()
    {
        bool closed = false;
        ListedTensors source = new([]) { Closed = () => closed = true };
        Should.Throw<Exception>(() => QuantizedTensors.Wrap(source, JsonDocument.Parse("""{"quant_method": "fp8"}""").RootElement, "config.json"));
        closed.ShouldBeTrue();
        closed = false;
        source = new ListedTensors(new() { ["m.qweight"] = null! }) { Closed = () => closed = true };
        Should.Throw<Exception>(() => QuantizedTensors.Wrap(source, JsonDocument.Parse("""{"quant_method": "gptq"}""").RootElement, "config.json"));
        closed.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"quant_method": "fp8"}""", "\"fp8\"")]
    [InlineData("""{"quant_method": "gptq", "bits": 5}""", "bits")]
    [InlineData("""{"quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"}""", "marlin")]
    [InlineData("""{"quant_method": "awq", "bits": 4, "version": "gemv"}""", "gemv")]
    [InlineData("""{"quant_method": "awq", "bits": 4, "group_size": 0}""", "group_size")]
    public void Configurations_that_cannot_be_read_are_refused(string config, string message)
    {
        using ITensorSource file = TensorFiles.Open(GoldenData.Path("quant", "gptq-llama", "model.safetensors"));
        Problems(All(file), JsonDocument.Parse(config).RootElement).ShouldContain(problem => problem.Contains(message, StringComparison.Ordinal));
    }

    private static string[] Problems(Dictionary<string, StoredTensor> tensors, JsonElement? config = null) =>
        [.. Should.Throw<InputException>(() => QuantizedTensors.Wrap(new ListedTensors(tensors), config, "config.json")).Problems];

    private static Dictionary<string, StoredTensor> All(ITensorSource file) => file.Names.ToDictionary(name => name, name => file.Find(name)!);

    private static ListedTensors Module(ITensorSource file, string id, params string[] parts) => new(parts
        .Where(part => file.Find($"{id}|{part}") is not null)
        .ToDictionary(part => "m." + part, part => file.Find($"{id}|{part}")! with { Name = "m." + part }));

    private static StoredTensor Stored(string name, DType type, byte[] bytes)
    {
        NativeBuffer buffer = new(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return new StoredTensor(name, type, [bytes.Length / type.BlockBytes()], buffer.Bytes);
    }

    private static float[] Values(StoredTensor stored) => Tensor.FromStored(stored, Shape.From(stored.Shape)).ToSingles();

    private sealed class ListedTensors(Dictionary<string, StoredTensor> tensors) : ITensorSource
    {
        public string Description => "listed";

        public IReadOnlyList<string> Names => [.. tensors.Keys];

        public StoredTensor? Find(string name) => tensors.GetValueOrDefault(name);

        public Action? Closed { get; init; }

        public void Dispose() => Closed?.Invoke();
    }
}
