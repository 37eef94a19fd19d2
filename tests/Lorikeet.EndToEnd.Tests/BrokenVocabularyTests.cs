using Lorikeet.Cli.Tests;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Text;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Work on a GGUF file whose weights are whole and whose vocabulary is not: nothing of it is lost, and somebody is told.</summary>
public sealed class BrokenVocabularyTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("lorikeet-");

    private static string Stories => Path.Combine(AppContext.BaseDirectory, "Embedded", "stories260K");

    private string Output => Path.Combine(_temporary.FullName, "out");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Theory]
    [InlineData("tokenizer.ggml.token_type", "found the string \"x\"")]
    [InlineData("tokenizer.ggml.bos_token_id", "found the string \"x\"")]
    [InlineData("tokenizer.ggml.model", "hold no tokenizer")]
    public void A_folder_is_made_without_a_tokenizer(string broken, string told)
    {
        string file = Gguf(broken), adapter = Path.Combine(Output, "adapter");
        CommandRun run = CommandRun.Of("quantize", file, "--to", "bf16", "--out", Output + "-bf16").Succeeded();
        run.Error.ShouldContain("has no tokenizer");
        run.Error.ShouldContain(told);
        Train("lora", Stories).Succeeded();
        run = CommandRun.Of("merge", file, "--adapter", adapter, "--out", Output + "-merged").Succeeded();
        run.Error.ShouldContain("has no tokenizer");
        run.Error.ShouldContain(told);
        foreach (string folder in (string[])[Output + "-bf16", Output + "-merged"])
        {
            File.Exists(Path.Combine(folder, "tokenizer.json")).ShouldBeFalse();
            ModelLoader.Load(folder).Dispose();
        }
    }

    [Theory]
    [InlineData("tokenizer.ggml.token_type")]
    [InlineData("tokenizer.ggml.model")]
    public void A_whole_model_is_trained_with_another_tokenizer_and_gets_it(string broken)
    {
        CommandRun run = Train("full", Gguf(broken), Stories).Succeeded();
        run.Output.ShouldContain($"{Path.Combine(Output, "model")} will have the tokenizer of {Stories}");
        GeneratesWith(Path.Combine(Output, "model"), Stories);
        GeneratesWith(Path.Combine(Output, "checkpoints", "step-000002"), Stories);
    }

    [Fact]
    public void The_tokenizer_of_a_file_comes_along_as_what_a_folder_has()
    {
        string file = Path.Combine(_temporary.FullName, "words.gguf");
        CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", file).Succeeded();
        Train("full", Gguf("tokenizer.ggml.model"), file).Succeeded();
        GeneratesWith(Path.Combine(Output, "model"), Stories);
    }

    [Fact]
    public void The_tokenizer_of_a_folder_makes_room_for_the_one_that_was_trained_with()
    {
        string folder = Path.Combine(_temporary.FullName, "base");
        Directory.CreateDirectory(folder);
        foreach (string path in Directory.GetFiles(Stories))
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "broken");
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), "{{ messages[0].content }}");
        Train("full", folder, Stories).Succeeded();
        GeneratesWith(Path.Combine(Output, "model"), Stories);
        ChatTemplate.FromModelFolder(Path.Combine(Output, "model"))!.Templates["default"].Source.ShouldBe("{{ messages[0].content }}");
    }

    [Fact]
    public void A_tokenizer_that_no_folder_can_have_is_told_before_the_first_step()
    {
        string words = Path.Combine(_temporary.FullName, "unigram.gguf");
        Write(words, [new("tokenizer.ggml.model", "t5"), new("tokenizer.ggml.tokens", new[] { "<pad>", "</s>", "<unk>", "▁a", "a", "b", "▁" }),
            new("tokenizer.ggml.scores", new float[] { 0, 0, 0, -1, -2, -3, -4 }), new("tokenizer.ggml.token_type", new[] { 3, 3, 2, 1, 1, 1, 1 }), new("tokenizer.ggml.eos_token_id", 1u)]);
        Train("full", Stories, words).Succeeded().Output.ShouldContain("will have no tokenizer");
        Directory.GetFiles(Path.Combine(Output, "model"), "tokenizer*").ShouldBeEmpty();
    }

    private static void GeneratesWith(string folder, string tokenizer)
    {
        using ModelPackage package = ModelPackage.Open(folder);
        package.Tokenizer.Encode("Once  upon a time, 漢字").Ids.ShouldBe(Tokenizer.Load(tokenizer).Encode("Once  upon a time, 漢字").Ids);
        package.EndTokens.ShouldContain(2);
    }

    private string Gguf(string broken)
    {
        string file = Path.Combine(_temporary.FullName, "broken.gguf");
        GgufVocabulary words = GgufVocabulary.FromFolder(Stories);
        Dictionary<string, object> text = new()
        {
            ["tokenizer.ggml.model"] = words.Model,
            ["tokenizer.ggml.tokens"] = words.Tokens.ToArray(),
            ["tokenizer.ggml.scores"] = words.Scores.ToArray(),
            ["tokenizer.ggml.token_type"] = words.TokenTypes.ToArray(),
            ["tokenizer.ggml.bos_token_id"] = 1u,
            ["tokenizer.ggml.eos_token_id"] = 2u,
        };
        if (broken == "tokenizer.ggml.model")
            text.Remove(broken);
        else
            text[broken] = "x";
        Write(file, text);
        return file;
    }

    private static void Write(string file, IEnumerable<KeyValuePair<string, object>> text)
    {
        using CausalLm model = ModelLoader.Load(Stories);
        GgufExport.Write(model, file, DType.F32, text);
    }

    private CommandRun Train(string method, string model, string? tokenizer = null)
    {
        string rows = Path.Combine(_temporary.FullName, "rows.jsonl"), recipe = Path.Combine(_temporary.FullName, "recipe.yaml");
        File.WriteAllLines(rows, Enumerable.Range(0, 4).Select(_ => """{"prompt": "a", "completion": " b a"}"""));
        File.WriteAllText(recipe, $"""
            model:
              path: '{model}'
              {(tokenizer is null ? "" : $"tokenizer: '{tokenizer}'")}
            adapter: {method}
            data: '{rows}'
            training:
              steps: 2
              save_every: 2
            samples:
              count: 0
            output: '{Output}'
            """);
        return CommandRun.Of("train", recipe);
    }
}
