using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

/// <summary>Models written as Hugging Face folders.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("lorikeet-");

    private string Target => Path.Combine(_temporary.FullName, "model");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Theory]
    [InlineData("llama-tied")]
    [InlineData("gpt2")]
    [InlineData("phi3-longrope-short")]
    [InlineData("smollm3")]
    public void A_written_folder_holds_the_same_bits_and_the_same_configuration(string name)
    {
        string source = GoldenData.Path("models", name);
        using CausalLm model = ModelLoader.Load(source);
        ModelFolder.Save(model, source, Target, stop: TestContext.Current.CancellationToken);
        using CausalLm again = ModelLoader.Load(Target);
        ShouldHoldTheSame(again, model);
        File.ReadAllBytes(Path.Combine(Target, "config.json")).ShouldBe(File.ReadAllBytes(Path.Combine(source, "config.json")));
    }

    [Theory]
    [InlineData("llama-tied")]
    [InlineData("llama-mha-bias")]
    [InlineData("llama-rope-yarn")]
    [InlineData("llama-rope-llama3")]
    [InlineData("llama-rope-linear")]
    [InlineData("mistral-window")]
    [InlineData("mistral-head-dim")]
    [InlineData("phi3-longrope-short")]
    [InlineData("phi3-partial-rotary")]
    [InlineData("qwen2-window")]
    [InlineData("qwen3")]
    [InlineData("smollm3")]
    public void A_configuration_that_no_file_gave_says_the_same(string name)
    {
        using CausalLm model = ModelLoader.Load(GoldenData.Path("models", name));
        ModelFolder.Save(model, source: null, Target, stop: TestContext.Current.CancellationToken);
        using CausalLm again = ModelLoader.Load(Target);
        DecoderConfig expected = ((Decoder)model.Backbone).Config, found = ((Decoder)again.Backbone).Config;
        found.Windows.ShouldBe(expected.Windows);
        found.Rotates.ShouldBe(expected.Rotates);
        found.Rope.ShortFactors.ShouldBe(expected.Rope.ShortFactors);
        found.Rope.LongFactors.ShouldBe(expected.Rope.LongFactors);
        // lists compare by reference, and an embedding that was not stretched has no original length
        RopeScaling rope = found.Rope with
        {
            ShortFactors = expected.Rope.ShortFactors,
            LongFactors = expected.Rope.LongFactors,
            OriginalMaxPositions = expected.Rope.Kind == RopeScalingKind.None ? expected.Rope.OriginalMaxPositions : found.Rope.OriginalMaxPositions,
        };
        (found with { Windows = expected.Windows, Rotates = expected.Rotates, Rope = rope }).ShouldBe(expected);
        ShouldHoldTheSame(again, model);
    }

    [Fact]
    public void Another_storage_rounds_the_weights_and_says_so_in_the_configuration()
    {
        string source = GoldenData.Path("models", "llama");
        using CausalLm model = ModelLoader.Load(source);
        ModelFolder.Save(model, source, Target, DType.BF16, stop: TestContext.Current.CancellationToken);
        JsonConfig config = JsonConfig.Load(Path.Combine(Target, "config.json"));
        (config.TextOrNull("dtype") ?? config.TextOrNull("torch_dtype")).ShouldBe("bfloat16");
        using ITensorSource file = TensorFiles.Open(Target);
        file.Names.Select(name => file.Find(name)!.Type).Distinct().ShouldBe([DType.BF16]);
        using CausalLm again = ModelLoader.Load(Target);
        foreach ((Parameter found, Parameter expected) in again.Parameters.Zip(model.Parameters))
        {
            float[] ours = found.Value.ToSingles(), theirs = expected.Value.ToSingles();
            for (int i = 0; i < ours.Length; i++)
                ours[i].ShouldBe(theirs[i], Math.Abs(theirs[i]) / 256);
        }
    }

    [Fact]
    public void Trained_weights_go_back_to_the_storage_they_came_in()
    {
        using CausalLm model = ModelLoader.Load("random:tiny:bf16");
        model.SetTrainable(true);
        ModelFolder.Save(model, "random:tiny:bf16", Target, stop: TestContext.Current.CancellationToken);
        using ITensorSource file = TensorFiles.Open(Target);
        file.Find("model.layers.0.self_attn.q_proj.weight")!.Type.ShouldBe(DType.BF16);
        file.Find("model.norm.weight")!.Type.ShouldBe(DType.F32);
        using CausalLm again = ModelLoader.Load(Target);
        ShouldHoldTheSame(again, model);
    }

    [Fact]
    public void A_model_is_not_written_over_its_own_files()
    {
        string source = GoldenData.Path("models", "llama");
        using CausalLm model = ModelLoader.Load(source);
        Should.Throw<InputException>(() => ModelFolder.Save(model, source, source + Path.DirectorySeparatorChar));
    }

    private static void ShouldHoldTheSame(CausalLm found, CausalLm expected)
    {
        found.Parameters.Select(parameter => parameter.Name).ShouldBe(expected.Parameters.Select(parameter => parameter.Name));
        foreach ((Parameter ours, Parameter theirs) in found.Parameters.Zip(expected.Parameters))
            ours.Value.ToSingles().SequenceEqual(theirs.Value.ToSingles()).ShouldBeTrue(ours.Name);
    }
}
