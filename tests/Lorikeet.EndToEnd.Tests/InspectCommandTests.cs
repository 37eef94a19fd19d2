using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Inference.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet inspect</c>.</summary>
public sealed class InspectCommandTests : IDisposable
{
    private readonly TinyModelFolder _model = new();

    [Fact]
    public void A_model_folder_is_described_for_people_and_for_programs()
    {
        JsonNode json = Inspect(_model.Path, "--tensors");
        ((string)json["kind"]!).ShouldBe("model");
        ((string)json["architecture"]!).ShouldBe("llama");
        ((bool)json["supported"]!).ShouldBeTrue();
        ((int)json["hidden_size"]!).ShouldBe(64);
        ((int)json["tokenizer"]!["vocabulary"]!).ShouldBe(512);
        json["tokenizer"]!["end_tokens"]!.ToJsonString().ShouldBe("[2]");
        json["chat_templates"]!.ToJsonString().ShouldBe("[\"default\"]");
        JsonArray tensors = json["tensor_list"]!.AsArray();
        tensors.Count.ShouldBe((int)json["tensors"]!);
        tensors.Sum(tensor => (long)tensor!["bytes"]!).ShouldBe((long)json["bytes"]!);

        CommandRun people = CommandRun.Of("inspect", _model.Path).Succeeded();
        people.Output.ShouldContain("architecture");
        people.Output.ShouldNotContain("self_attn");
        CommandRun.Of("inspect", _model.Path, "--tensors").Succeeded().Output.ShouldContain("[64, 172]");
    }

    [Fact]
    public void A_model_without_a_tokenizer_is_described_all_the_same()
    {
        File.Delete(_model.File("tokenizer.model"));
        ((string)Inspect(_model.Path)["tokenizer"]!).ShouldContain("none");
    }

    [Fact]
    public void A_tokenizer_and_a_file_of_tensors_are_told_apart()
    {
        ((string)Inspect(GoldenData.Path("tokenizers", "gpt2", "tokenizer.json"))["kind"]!).ShouldBe("tokenizer");
        ((string)Inspect(GoldenData.Path("tokenizers", "stories260K.model"))["kind"]!).ShouldBe("tokenizer");
        JsonNode tensors = Inspect(GoldenData.Path("models", "llama", "io.safetensors"));
        ((string)tensors["kind"]!).ShouldBe("tensors");
        tensors["types"]!.AsObject().Select(type => type.Key).ShouldBe(["F32", "I64"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("a.npy", "934e554d505901007600", "an array of NumPy")]
    [InlineData("a.npz", "504b03040a000000000000000000000000000000000000000000050000006c2e6e7079", "an archive of NumPy arrays")]
    [InlineData("a.pkl", "80027d2e", "not one that torch saved")]
    [InlineData("a.dat", "00010203", "of no known kind. What is read: safetensors")]
    [InlineData("a.dat", "", "an empty file")]
    [InlineData("a.gguf", "", "is no GGUF file: it is empty")]
    [InlineData("a.gguf", "00010203", "does not begin with the letters GGUF")]
    public void Files_of_other_kinds_are_named_for_what_they_are(string name, string hex, string what)
    {
        File.WriteAllBytes(_model.File(name), Convert.FromHexString(hex));
        CommandRun run = CommandRun.Of("inspect", _model.File(name));
        run.Code.ShouldBe(2, run.Output);
        run.Error.ShouldContain(what);
        run.Error.ShouldNotContain("SentencePiece");
    }

    [Fact]
    public void Every_file_that_torch_saved_is_described_or_refused_for_what_it_is()
    {
        string folder = Path.GetDirectoryName(GoldenData.Shared("conf-torch-pickle", "NOTE"))!;
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".pt" or ".pth" or ".tar"))
        {
            CommandRun run = CommandRun.Of("inspect", file, "--json");
            run.Code.ShouldBe(Path.GetFileName(file) == "broken.pt" ? 2 : 0, $"{file}: {run.Error}");
        }
    }

    [Fact]
    public void An_adapter_in_a_GGUF_file_is_no_model()
    {
        JsonNode adapter = Inspect(GoldenData.Shared("golden-lora-stories260K", "adapter_final-f32.gguf"));
        ((string)adapter["kind"]!).ShouldBe("adapter");
        ((string)adapter["method"]!).ShouldBe("LORA");
        ((string)adapter["base_architecture"]!).ShouldBe("llama");
        ((int)adapter["r"]!).ShouldBe(RankOf("adapter_final"));
        ((double)adapter["lora_alpha"]!).ShouldBe(AlphaOf("adapter_final"));
        adapter["supported"].ShouldBeNull();

        static JsonNode Config(string name) => JsonNode.Parse(File.ReadAllText(GoldenData.Shared("golden-lora-stories260K", name, "adapter_config.json")))!;
        static int RankOf(string name) => (int)Config(name)["r"]!;
        static double AlphaOf(string name) => (double)Config(name)["lora_alpha"]!;
    }

    [Fact]
    public void An_adapter_shows_its_method_and_targets()
    {
        JsonNode adapter = Inspect(GoldenData.Shared("golden-peft", "lora", "default-qv-llama", "adapter"));
        ((string)adapter["kind"]!).ShouldBe("adapter");
        ((string)adapter["method"]!).ShouldBe("LORA");
        ((int)adapter["r"]!).ShouldBe(8);
        ((int)adapter["parameters"]!).ShouldBe(1792);
    }

    [Fact]
    public void A_checkpoint_shows_how_far_it_is_and_what_it_holds()
    {
        _model.Write("trainer_state.json", """{"format": 1, "progress": {"step": 40, "best_loss": 1.5, "best_step": 20}, "sampler": {"epoch": 3}}""");
        JsonNode checkpoint = Inspect(_model.Path);
        ((string)checkpoint["kind"]!).ShouldBe("checkpoint");
        ((int)checkpoint["step"]!).ShouldBe(40);
        ((double)checkpoint["best_loss"]!).ShouldBe(1.5);
        ((string)checkpoint["holds"]!["kind"]!).ShouldBe("model");
        CommandRun.Of("inspect", _model.Path).Succeeded().Output.ShouldContain("best_loss");
    }

    [Fact]
    public void A_GGUF_file_shows_its_metadata()
    {
        JsonNode gguf = Inspect(GoldenData.Shared("model-smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        ((string)gguf["format"]!).ShouldBe("GGUF v3");
        ((int)gguf["tensors"]!).ShouldBe(272);
        ((int)gguf["types"]!["Q4_1"]!).ShouldBe(210);
        ((long)gguf["metadata"]!["llama.block_count"]!).ShouldBe(30);
    }

    [Fact]
    public void What_is_broken_or_absent_exits_with_2()
    {
        CommandRun.Of("inspect", _model.File("nothing")).Code.ShouldBe(2);
        File.WriteAllBytes(_model.File("broken.safetensors"), [1, 2, 3]);
        CommandRun.Of("inspect", _model.File("broken.safetensors")).Code.ShouldBe(2);
        Directory.CreateDirectory(_model.File("empty"));
        CommandRun.Of("inspect", _model.File("empty")).Code.ShouldBe(2);
    }

    public void Dispose() => _model.Dispose();

    private static JsonNode Inspect(string path, params string[] options) => JsonNode.Parse(CommandRun.Of(["inspect", path, "--json", .. options]).Succeeded().Output)!;
}
