using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Inference.Tests;

/// <summary>LoRA adapters in llama.cpp's files.</summary>
public sealed class GgufAdapterFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-gguf-adapter-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_acts_as_the_adapter_that_it_was_made_of(bool stabilised)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        Adapter made = Make(model, new JsonObject
        {
            ["r"] = 4, ["lora_alpha"] = 12, ["use_rslora"] = stabilised, ["init_lora_weights"] = false, ["target_modules"] = "all-linear",
            ["rank_pattern"] = new JsonObject { ["q_proj"] = 3, ["down_proj"] = 7 }, ["alpha_pattern"] = new JsonObject { ["k_proj"] = 5 },
        });
        string path = Path.Combine(_folder, "a.gguf");
        GgufAdapterFile.Write(made, path);
        GgufAdapterFile.Holds(path).ShouldBeTrue();
        Adapter read = GgufAdapterFile.Load(model, path);
        read.Parts.Count.ShouldBe(made.Parts.Count);
        foreach ((LoraLinear a, LoraLinear b) in made.Parts.Cast<LoraLinear>().Zip(read.Parts.Cast<LoraLinear>()))
        {
            b.Layer.ShouldBe(a.Layer);
            b.A.Value.Values.ToArray().ShouldBe(a.A.Value.Values.ToArray());
            float[] ours = a.B.Value.Values.ToArray(), theirs = b.B.Value.Values.ToArray();
            for (int i = 0; i < ours.Length; i++)
                (theirs[i] * b.Scale).ShouldBe(ours[i] * a.Scale, 1e-5f * Math.Abs(ours[i] * a.Scale));
        }
        read.Config.Root["target_modules"]!.AsArray().Select(target => (string)target!).ShouldContain("q_proj");
        ((int)read.Config.Root["rank_pattern"]!["model.layers.0.mlp.down_proj"]!).ShouldBe(7);
    }

    [Fact]
    public void A_file_of_the_converter_holds_what_the_folder_holds_and_is_written_again()
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Shared("model-stories260K-hf"));
        string theirs = GoldenData.Shared("golden-lora-stories260K", "adapter_final-f32.gguf"), ours = Path.Combine(_folder, "ours.gguf");
        Adapter folder = AdapterFile.Load(model, GoldenData.Shared("golden-lora-stories260K", "adapter_final")), file = GgufAdapterFile.Load(model, theirs);
        file.Parameters.Select(parameter => parameter.Name).ShouldBe(folder.Parameters.Select(parameter => parameter.Name));
        foreach ((Nn.Parameter a, Nn.Parameter b) in folder.Parameters.Zip(file.Parameters))
            b.Value.Values.ToArray().ShouldBe(a.Value.Values.ToArray(), a.Name);
        folder.Parts.Cast<LoraLinear>().Select(part => part.Scale).ShouldBe(file.Parts.Cast<LoraLinear>().Select(part => part.Scale));
        GgufAdapterFile.Write(folder, ours);
        using GgufFile written = GgufFile.Open(ours), expected = GgufFile.Open(theirs);
        written.Names.ShouldBe(expected.Names, ignoreOrder: true);
        foreach (string name in expected.Names)
            written.Find(name)!.Bytes.Span.SequenceEqual(expected.Find(name)!.Bytes.Span).ShouldBeTrue(name);
        foreach (string key in (string[])["general.type", "general.architecture", "adapter.type", "adapter.lora.alpha"])
            written.Metadata[key].ShouldBe(expected.Metadata[key], key);
    }

    [Fact]
    public void Names_order_and_metadata_are_those_of_the_converter()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        Adapter made = Make(model, new JsonObject { ["r"] = 2, ["lora_alpha"] = 6, ["init_lora_weights"] = false, ["target_modules"] = new JsonArray("q_proj", "o_proj") });
        string path = Path.Combine(_folder, "a.gguf");
        GgufAdapterFile.Write(made, path);
        using GgufFile file = GgufFile.Open(path);
        file.Metadata.Text("general.type").ShouldBe("adapter");
        file.Metadata.Text("adapter.type").ShouldBe("lora");
        file.Metadata.Text("general.architecture").ShouldBe("llama");
        file.Metadata.Number("adapter.lora.alpha").ShouldBe(6);
        file.Names.Take(4).ShouldBe(["blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b", "blk.0.attn_output.weight.lora_a", "blk.0.attn_output.weight.lora_b"]);
        LoraLinear query = (LoraLinear)made.Parts[0];
        Tensor stored = Of(file, "blk.0.attn_q.weight.lora_b");
        // heads of 8 rows: 0, 4, 1, 5 …
        stored.Row(1).ToArray().ShouldBe(query.B.Value.Row(4).ToArray());
        stored.Row(10).ToArray().ShouldBe(query.B.Value.Row(9).ToArray());
    }

    [Theory]
    [InlineData("""{"use_dora": true, "target_modules": ["q_proj"]}""", "DoRA")]
    [InlineData("""{"target_modules": ["q_proj", "embed_tokens"]}""", "table of embeddings")]
    [InlineData("""{"target_modules": ["q_proj"], "lora_bias": true}""", "lora_bias")]
    [InlineData("""{"target_modules": ["q_proj"], "modules_to_save": ["norm"]}""", "modules_to_save")]
    public void What_llama_cpp_does_not_compute_is_refused(string options, string message)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        Adapter made = Make(model, JsonNode.Parse(options)!.AsObject());
        InputException refusal = Should.Throw<InputException>(() => GgufAdapterFile.Write(made, Path.Combine(_folder, "a.gguf")));
        refusal.Problems.ShouldContain(problem => problem.Contains(message, StringComparison.Ordinal));
        Directory.EnumerateFileSystemEntries(_folder).ShouldBeEmpty();
    }

    [Fact]
    public void Files_of_other_kinds_and_models_are_refused()
    {
        using CausalLm model = ModelLoader.Load("random:tiny"), other = ModelLoader.Load("random:smollm2-135m:q4_0");
        string path = Path.Combine(_folder, "a.gguf"), whole = Path.Combine(_folder, "model.gguf");
        GgufAdapterFile.Write(Make(model, new JsonObject { ["target_modules"] = new JsonArray("q_proj") }), path);
        Should.Throw<InputException>(() => GgufAdapterFile.Load(other, path)).Problems.ShouldContain(problem => problem.Contains("lora_A.weight", StringComparison.Ordinal));
        GgufModelFile.Write(ModelFiles.Find("random:tiny"), model, whole, Kernels.DType.F32, stop: TestContext.Current.CancellationToken);
        GgufAdapterFile.Holds(whole).ShouldBeFalse();
        Should.Throw<InputException>(() => GgufAdapterFile.Load(model, whole)).Problems.ShouldContain(problem => problem.Contains("general.type", StringComparison.Ordinal));
    }

    [Fact]
    public void Damage_is_reported_all_at_once()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        string path = Path.Combine(_folder, "a.gguf");
        Write(path, 4f, [("a", [2, 64], [64, 2]), ("blk.0.attn_norm.weight", [2, 64], [64, 2]), ("blk.0.attn_q.weight", [2, 64], []), ("blk.0.attn_k.weight", [3_000_000_000, 0], [64]),
            ("blk.0.attn_v.weight", [2, 64], [16, 2]), ("model.layers.0.self_attn.v_proj.weight", [2, 64], [16, 2])]);
        IReadOnlyList<string> problems = Should.Throw<InputException>(() => GgufAdapterFile.Load(model, path)).Problems;
        problems.Count.ShouldBe(6);
        problems.ShouldContain(problem => problem.Contains("a.lora_a: a is no matrix of the model"));
        problems.ShouldContain(problem => problem.Contains("blk.0.attn_norm.weight is no matrix"));
        problems.ShouldContain(problem => problem.Contains("blk.0.attn_q.weight.lora_b is F32 []"));
        problems.ShouldContain(problem => problem.Contains("blk.0.attn_k.weight.lora_a is F32 [3000000000, 0]"));
        problems.ShouldContain(problem => problem.Contains("blk.0.attn_k.weight.lora_b is F32 [64]"));
        problems.ShouldContain(problem => problem.Contains("act on the same layer, model.layers.0.self_attn.v_proj"));
        Write(path, float.NaN, [("blk.0.attn_q.weight", [2, 64], [64, 2])]);
        Should.Throw<InputException>(() => GgufAdapterFile.Load(model, path)).Problems.ShouldHaveSingleItem().ShouldContain("adapter.lora.alpha is NaN");

        static void Write(string path, float alpha, (string Module, long[] A, long[] B)[] modules) => GgufWriter.Write(path,
        [
            new("general.architecture", "llama"), new("general.type", "adapter"), new("adapter.type", "lora"), new("adapter.lora.alpha", alpha),
        ], [.. modules.SelectMany(module => (GgufEntry[])[Zeros(module.Module + ".lora_a", module.A), Zeros(module.Module + ".lora_b", module.B)])]);

        static GgufEntry Zeros(string name, long[] shape) => new(name, Kernels.DType.F32, shape, stream => stream.Write(new byte[4 * shape.Aggregate(1L, (product, size) => product * size)]));
    }

    private static Adapter Make(CausalLm model, JsonObject options) => AdapterFile.Create(model, new LoraMethod(), options, seed: 5);

    private static Tensor Of(ITensorSource file, string name)
    {
        StoredTensor stored = file.Find(name)!;
        return Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape));
    }
}
