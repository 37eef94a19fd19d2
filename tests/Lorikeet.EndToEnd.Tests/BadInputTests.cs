using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Inference.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Files that are broken or made to do harm: exit code 2, words that help, no stack trace, and nothing done.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TinyModelFolder _model = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-");

    public static TheoryData<string> Adapters => [.. Cases("peft", "bad", folder => (string?)Json(folder, "case.json")["wanted"] is { } wanted && wanted.StartsWith("reject", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void An_adapter_that_does_not_fit_is_refused(string name)
    {
        CommandRun run = CommandRun.Of("forward", GoldenData.Path("peft", "bases", "llama"), GoldenData.Path("peft", "bases", "llama", "io.safetensors"),
            "--out", _model.File("out.safetensors"), "--adapter", GoldenData.Path("peft", "bad", name, "adapter"));
        Refused(run);
        File.Exists(_model.File("out.safetensors")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("00000000000000107b7d")]
    [InlineData("0800000000000000ffffffffffffffff")]
    [InlineData("02")]
    [InlineData("")]
    public void Damaged_weights_are_refused(string hex)
    {
        File.WriteAllBytes(_model.File("model.safetensors"), Convert.FromHexString(hex));
        Refused(CommandRun.Of("generate", _model.Path, "Once"), "model.safetensors");
        Refused(CommandRun.Of("inspect", _model.File("model.safetensors")), "model.safetensors");
    }

    [Fact]
    public void Options_of_train_are_told_among_all_problems_of_the_recipe()
    {
        string recipe = Path.Combine(_folder.FullName, "r.yaml");
        File.WriteAllText(recipe, $"model: {{path: {_model.Path}}}\nadapter: {{method: lora}}\ndata: {{train: [{{path: nowhere.jsonl}}]}}\n");
        Refused(CommandRun.Of("train", recipe, "--precision", "fp16", "--memory", "lots", "--set", "model.quantize=q9", "--set", "training.bogus=1"),
            "training.precision: found", "fp16", "training.memory: found lots", "model.quantize: found q9", "training.bogus", "nowhere.jsonl");
    }

    [Fact]
    public void Weights_of_another_shape_are_all_named()
    {
        _model.Write("config.json", File.ReadAllText(_model.File("config.json")).Replace("\"intermediate_size\": 172", "\"intermediate_size\": 176", StringComparison.Ordinal));
        CommandRun run = CommandRun.Of("generate", _model.Path, "Once");
        Refused(run, "model.layers.0.mlp.gate_proj.weight", "model.layers.4.mlp.down_proj.weight", "[172, 64]", "[176, 64]");
    }

    [Theory]
    [InlineData(1L << 60, 0)]
    [InlineData(-1, 0)]
    [InlineData(5, 0)]
    [InlineData(0, 1L << 60)]
    public void A_GGUF_file_that_lies_about_its_counts_is_refused(long tensors, long keys)
    {
        string file = _model.File("lie.gguf");
        using (BinaryWriter writer = new(File.Create(file)))
        {
            writer.Write("GGUF"u8);
            writer.Write(3);
            writer.Write(tensors);
            writer.Write(keys);
        }
        CommandRun run = CommandRun.Of("generate", file, "Once");
        Refused(run, "lie.gguf");
        run.Error.Split("lie.gguf").Length.ShouldBe(2, "told once");
        Refused(CommandRun.Of("inspect", file), "lie.gguf");
    }

    [Fact]
    public void A_pickle_that_wants_to_run_a_program_runs_nothing()
    {
        string trace = _model.File("trace");
        File.Delete(_model.File("model.safetensors"));
        File.WriteAllBytes(_model.File("pytorch_model.bin"), [0x80, 0x02, .. Encoding.ASCII.GetBytes($"cposix\nsystem\n(S'touch {trace}'\ntR.")]);
        Refused(CommandRun.Of("generate", _model.Path, "Once"), "pytorch_model.bin");
        File.Exists(trace).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"model": {"type": "BPE"}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}, "merges": [["a", "b"]]}}""")]
    [InlineData("{")]
    public void A_tokenizer_without_its_vocabulary_is_refused(string json)
    {
        _model.Write("tokenizer.json", json);
        Refused(CommandRun.Of("generate", _model.Path, "Once"), "tokenizer.json");
        Refused(CommandRun.With("text", "tokenize", _model.Path), "tokenizer.json");
    }

    [Fact]
    public void A_template_that_never_ends_is_stopped()
    {
        _model.Write("tokenizer_config.json", """{"chat_template": "{% for i in range(99999) %}{% for j in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"}""");
        CommandRun run = CommandRun.With("{\"messages\": []}", "render", _model.Path).Succeeded();
        run.Output.ShouldStartWith("{\"error\":");
        Refused(CommandRun.Of("generate", _model.Path, "Hi", "--chat"), "tokenizer_config.json");
    }

    [Fact]
    public void A_broken_template_ends_chats_and_nothing_else()
    {
        _model.Write("tokenizer_config.json", """{"bos_token": "<s>", "chat_template": "{% if %}"}""");
        CommandRun plain = CommandRun.Of("generate", _model.Path, "Once", "--max-tokens", "2").Succeeded();
        plain.Error.ShouldContain("note: chats are not possible: ");
        Refused(CommandRun.Of("generate", _model.Path, "Hi", "--chat"), "tokenizer_config.json");
        Refused(CommandRun.With("Hi\n", "chat", _model.Path), "tokenizer_config.json");
    }

    [Fact]
    public void An_error_cannot_steer_the_terminal()
    {
        CommandRun run = CommandRun.Of("inspect", "no\u001b[2Jfile");
        Refused(run);
        run.Error.ShouldNotContain("\u001b");
    }

    [Theory]
    [InlineData("merge MODEL --adapter MODEL --out PLACE")]
    [InlineData("convert MODEL --adapter MODEL --out PLACE")]
    [InlineData("convert MODEL --adapter MODEL --out PLACE.gguf")]
    [InlineData("quantize MODEL --to nf4 --out PLACE")]
    [InlineData("quantize MODEL --to q8_0 --out PLACE.gguf")]
    [InlineData("forward MODEL MODEL --out PLACE")]
    [InlineData("quickstart --output PLACE")]
    [InlineData("train RECIPE --set output=PLACE")]
    [InlineData("train RECIPE --dry-run --set training.optimizer=paged_adamw --set training.optimizer_state=PLACE")]
    public void A_place_that_cannot_be_written_is_told_before_any_work(string command)
    {
        string taken = Path.Combine(_folder.FullName, "taken"), place = Path.Combine(taken, "out"), recipe = _model.File("recipe.yaml"), rows = _model.File("rows.jsonl");
        File.WriteAllText(taken, "");
        File.WriteAllText(rows, """{"text": "a row"}""");
        File.WriteAllText(recipe, $"model: '{_model.Path}'\nadapter: {{method: lora, target_modules: all-linear}}\ndata: '{rows}'\noutput: '{_model.File("run")}'");
        CommandRun run = CommandRun.Of([.. command.Split(' ').Select(word => word.Replace("MODEL", _model.Path, StringComparison.Ordinal).Replace("RECIPE", recipe, StringComparison.Ordinal).Replace("PLACE", place, StringComparison.Ordinal))]);
        run.Code.ShouldBe(2, run.Error);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain($"cannot be written ({taken} is a file, where a folder is needed); choose another place, or make this one free\n");
        // what the parser tells of has no such beginning
        (run.Error.StartsWith("error: ", StringComparison.Ordinal) ? run.Error : $"error: {run.Error}").ShouldStartWith(command.Contains(" --out ", StringComparison.Ordinal) ? "error: --out " : command.Contains("optimizer_state", StringComparison.Ordinal) ? "error: training.optimizer_state: " : "error: output: ");
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Delete(recursive: true);
    }

    private static void Refused(CommandRun run, params string[] named)
    {
        run.Code.ShouldBe(2, run.Error);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain("error: ");
        run.Error.ShouldNotContain("   at ");
        run.Error.ShouldNotContain("Exception");
        foreach (string name in named)
            run.Error.ShouldContain(name);
    }

    private static IEnumerable<string> Cases(string set, string kind, Func<string, bool> choose) =>
        Directory.GetDirectories(GoldenData.Path(set, kind)).Where(choose).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal);

    private static JsonNode Json(string folder, string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!;
}
