using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Inference.Tests;
using Lorikeet.Text;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet generate</c>.</summary>
public sealed class GenerateCommandTests : IDisposable
{
    private readonly TinyModelFolder _model = new();

    [Fact]
    public void A_prompt_is_continued_and_the_text_alone_is_the_output()
    {
        CommandRun plain = CommandRun.Of("generate", _model.Path, "Once upon a time", "--max-tokens", "12").Succeeded();
        CommandRun streamed = CommandRun.Of("generate", _model.Path, "Once upon a time", "--max-tokens", "12", "--stream").Succeeded();
        CommandRun piped = CommandRun.With("Once upon a time\n", "generate", _model.Path, "--max-tokens", "12").Succeeded();
        JsonNode json = JsonNode.Parse(CommandRun.Of("generate", _model.Path, "Once upon a time", "--max-tokens", "12", "--json").Succeeded().Output)!;
        plain.Output.ShouldBe((string)json["text"]! + "\n");
        streamed.Output.ShouldBe(plain.Output);
        piped.Output.ShouldBe(plain.Output);
        ((int)json["tokens"]!).ShouldBe(12);
        ((string)json["finish"]!).ShouldBe("length");
    }

    [Fact]
    public void Prompt_and_text_together_read_as_the_tokens_do()
    {
        Tokenizer tokenizer = Tokenizer.Load(_model.Path);
        int joined = 0;
        string file = _model.File("prompts.txt");
        File.WriteAllLines(file, Enumerable.Repeat("Tom had", 12));
        foreach (string line in CommandRun.Of("generate", _model.Path, "--file", file, "--max-tokens", "3", "--temperature", "5", "--seed", "1", "--json").Succeeded().Lines)
        {
            JsonNode json = JsonNode.Parse(line)!;
            string prompt = (string)json["prompt"]!;
            int[] ids = [.. json["ids"]!.AsArray().Select(id => (int)id!)];
            (prompt + (string)json["text"]!).ShouldBe(tokenizer.Decode([.. tokenizer.EncodeIds(prompt), .. ids], skipSpecial: true));
            joined += tokenizer.TokenOf(ids[0]).StartsWith('\u2581') ? 1 : 0;
        }
        joined.ShouldBeGreaterThan(0, "texts that begin with a blank");
    }

    [Fact]
    public void A_file_of_prompts_is_answered_in_its_order()
    {
        string file = _model.File("prompts.jsonl");
        File.WriteAllLines(file, ["""{"prompt": "One day"}""", "", """{"messages": [{"role": "user", "content": "Hi"}]}""", """{"prompt": "The end"}"""]);
        JsonNode[] lines = [.. CommandRun.Of("generate", _model.Path, "--file", file, "--max-tokens", "6", "--batch", "2", "--json").Succeeded().Lines.Select(line => JsonNode.Parse(line)!)];
        lines.Select(line => (string)line["prompt"]!).ShouldBe(["One day", "<s>u: Hi\na: ", "The end"]);
        ((string)lines[2]["text"]!).ShouldBe(CommandRun.Of("generate", _model.Path, "The end", "--max-tokens", "6").Succeeded().Output[..^1]);
    }

    [Fact]
    public void The_same_seed_gives_the_same_text()
    {
        string Text(string seed) => CommandRun.Of("generate", _model.Path, "Once", "--temperature", "1.5", "--seed", seed, "--max-tokens", "20").Succeeded().Output;
        Text("5").ShouldBe(Text("5"));
        Text("5").ShouldNotBe(Text("6"));
    }

    [Fact]
    public void What_cannot_be_done_is_said_before_anything_is_written()
    {
        CommandRun options = CommandRun.Of("generate", _model.Path, "x", "--top-p", "3", "--temperature", "-1");
        options.Code.ShouldBe(2);
        options.Error.ShouldContain("--top-p is 3;");
        options.Error.ShouldContain("--temperature is -1;");
        CommandRun both = CommandRun.Of("generate", _model.Path, "x", "--file", "y");
        both.Code.ShouldBe(2);
        CommandRun broken = CommandRun.Of("generate", _model.Path, "--file", _model.File("missing.txt"));
        broken.Code.ShouldBe(2);
        broken.Error.ShouldContain("missing.txt");
        CommandRun folder = CommandRun.Of("generate", _model.Path, "--file", _model.Path);
        folder.Code.ShouldBe(2);
        folder.Error.ShouldContain("is a folder");
        File.WriteAllBytes(_model.File("binary.txt"), [(byte)'a', (byte)'\n', 0x80]);
        CommandRun binary = CommandRun.Of("generate", _model.Path, "--file", _model.File("binary.txt"));
        binary.Code.ShouldBe(2);
        binary.Error.ShouldContain("binary.txt, line 2: byte 1");
        CommandRun longer = CommandRun.Of("generate", _model.Path, string.Concat(Enumerable.Repeat("again and again ", 100)));
        longer.Code.ShouldBe(2);
        longer.Error.ShouldContain("leaves no room");
        File.WriteAllLines(_model.File("long.txt"), ["short", string.Concat(Enumerable.Repeat("again and again ", 100)), "short", string.Concat(Enumerable.Repeat("once more ", 200))]);
        CommandRun several = CommandRun.Of("generate", _model.Path, "--file", _model.File("long.txt"));
        several.Code.ShouldBe(2);
        several.Output.ShouldBeEmpty();
        several.Error.ShouldContain("line 2: ");
        several.Error.ShouldContain("line 4: ");
    }

    [Fact]
    public void Every_prompt_of_a_file_that_cannot_be_used_is_named_with_its_line()
    {
        string file = _model.File("prompts.jsonl");
        string tooLong = string.Concat(Enumerable.Repeat("again and again ", 100));
        File.WriteAllLines(file, ["""{"prompt": "One day"}""", $$"""{"prompt": "{{tooLong}}"}""", "", """{"messages": [{"role": "user"}], "tool": 1}""", """{"prompt": "The end"}"""]);
        CommandRun run = CommandRun.Of("generate", _model.Path, "--file", file);
        run.Code.ShouldBe(2);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain($"{file}: the prompts cannot be used");
        run.Error.ShouldContain("line 2: ");
        run.Error.ShouldContain("leaves no room");
        run.Error.ShouldContain("line 4: ");
        run.Error.ShouldNotContain("line 1: ");
    }

    [Fact]
    public void The_models_own_sampling_options_are_used_and_options_override_them()
    {
        string Text(params string[] options) => CommandRun.Of(["generate", _model.Path, "Once", "--max-tokens", "20", .. options]).Succeeded().Output;
        string greedy = Text(), warm = Text("--temperature", "1.5", "--top-k", "50", "--top-p", "0.95", "--seed", "3");
        warm.ShouldNotBe(greedy);
        _model.Write("generation_config.json", """{"do_sample": true, "temperature": 1.5, "top_p": 0.95, "eos_token_id": 2}""");
        CommandRun run = CommandRun.Of("generate", _model.Path, "Once", "--max-tokens", "20", "--seed", "3").Succeeded();
        run.Output.ShouldBe(warm, "top-k is 50 where a file that draws does not say, as in transformers");
        run.Error.ShouldBe("note: the model's generation_config.json asks for temperature 1.5, top-k 50, top-p 0.95; options override it, --temperature 0 takes the likeliest token\n");
        Text("--temperature", "0").ShouldBe(greedy);
        CommandRun.Of("generate", _model.Path, "Once", "--max-tokens", "2", "--temperature", "0").Succeeded().Error.ShouldBeEmpty();
        Text("--top-k", "1").ShouldBe(greedy);
        _model.Write("generation_config.json", """{"temperature": 1.5, "top_p": 0.95}""");
        run = CommandRun.Of("generate", _model.Path, "Once", "--max-tokens", "20").Succeeded();
        (run.Output, run.Error).ShouldBe((greedy, ""), "a file that does not draw has the likeliest token taken");
        _model.Write("generation_config.json", """{"do_sample": true, "temperature": "hot", "top_p": []}""");
        run = CommandRun.Of("generate", _model.Path, "Once");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("temperature: a number");
        run.Error.ShouldContain("top_p: a number");
    }

    [Fact]
    public void The_real_chat_model_writes_the_texts_of_the_reference()
    {
        string model = GoldenData.Shared("model-smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(GoldenData.Shared("golden-smollm2", "index.json")));
        JsonElement[] prompts = [.. index.RootElement.GetProperty("prompts").EnumerateArray()];
        string file = _model.File("prompts.jsonl");
        File.WriteAllLines(file, prompts.Select(prompt => prompt.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array
            ? new JsonObject { ["messages"] = JsonNode.Parse(messages.GetRawText()) }.ToJsonString()
            : new JsonObject { ["prompt"] = prompt.GetProperty("text").GetString() }.ToJsonString()));
        JsonNode[] lines = [.. CommandRun.Of("generate", model, "--file", file, "--max-tokens", "48", "--json").Succeeded().Lines.Select(line => JsonNode.Parse(line)!)];
        for (int i = 0; i < prompts.Length; i++)
        {
            string name = prompts[i].GetProperty("name").GetString()!;
            ((string)lines[i]["prompt"]!).ShouldBe(prompts[i].GetProperty("text").GetString(), name);
            lines[i]["ids"]!.ToJsonString().ShouldBe(JsonNode.Parse(prompts[i].GetProperty("new_ids").GetRawText())!.ToJsonString(), name);
            ((string)lines[i]["text"]!).ShouldBe(prompts[i].GetProperty("new_text_skip_special").GetString(), name);
            ((string)lines[i]["finish"]!).ShouldBe(prompts[i].GetProperty("finish").GetString(), name);
        }
    }

    public void Dispose() => _model.Dispose();
}
