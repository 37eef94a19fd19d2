using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Inference.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet render</c> against what transformers renders (see the NOTE beside the goldens).</summary>
public class RenderCommandTests
{
    private static readonly JsonNode Index = JsonNode.Parse(File.ReadAllText(GoldenData.Path("chat-templates", "index.json")))!;

    public static TheoryData<string> Templates => [.. Index["templates"]!.AsArray().Where(template => template!["same_as"] is null).Select(template => (string)template!["template"]!)];

    [Theory]
    [MemberData(nameof(Templates))]
    public void Every_conversation_comes_out_as_text_or_as_an_error(string template)
    {
        JsonObject[] conversations = [.. JsonNode.Parse(File.ReadAllText(GoldenData.Path("chat-templates", "conversations.json")))!.AsArray().Select(c => c!.AsObject())];
        JsonNode entry = Index["templates"]!.AsArray().Single(entry => (string)entry!["template"]! == template)!;
        JsonNode expected = JsonNode.Parse(File.ReadAllText(GoldenData.Path("chat-templates", (string)entry["expected"]!)))!;
        string[] special = [.. Index["special_tokens"]!.AsObject().SelectMany(token => new[] { "--special", $"{token.Key}={token.Value}" })];
        CommandRun run = CommandRun.With(string.Concat(conversations.Select(c => c.ToJsonString() + "\n")),
            ["render", GoldenData.Path("chat-templates", "templates", template), "--now", (string)Index["clock"]!, .. special]).Succeeded();
        string[] lines = run.Lines;
        lines.Length.ShouldBe(conversations.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            string name = (string)conversations[i]["name"]!;
            JsonNode line = JsonNode.Parse(lines[i])!, golden = expected[name]!;
            if (golden["text"] is { } text)
                ((string?)line["text"]).ShouldBe((string)text!, name);
            else
                line["error"].ShouldNotBeNull(name);
        }
    }

    [Fact]
    public void A_model_folder_brings_its_template_and_special_tokens()
    {
        using TinyModelFolder model = new();
        CommandRun run = CommandRun.With("""{"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true}""", "render", model.Path).Succeeded();
        run.Output.ShouldBe("{\"text\":\"<s>u: Hi\\na: \"}\n");
    }

    [Theory]
    [InlineData("nonsense", "JSON")]
    [InlineData("[]", "messages")]
    [InlineData("{}", "messages")]
    [InlineData("""{"messages": [], "add_generation_promt": true}""", "add_generation_promt")]
    [InlineData("""{"messages": {}, "tools": 3}""", "tools")]
    public void A_broken_line_is_an_error_of_its_own(string line, string named)
    {
        using TinyModelFolder model = new();
        CommandRun run = CommandRun.With(line + "\n{\"messages\": []}\n", "render", model.Path).Succeeded();
        run.Lines.Length.ShouldBe(2);
        ((string)JsonNode.Parse(run.Lines[0])!["error"]!).ShouldContain(named);
        run.Lines[1].ShouldBe("{\"text\":\"<s>\"}");
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused()
    {
        string template = GoldenData.Path("chat-templates", "templates", (string)Index["templates"]![0]!["template"]!);
        CommandRun.With("", "render", template, "--now", "yesterday").Code.ShouldBe(2);
        CommandRun.With("", "render", template, "--special", "bos_token").Error.ShouldContain("NAME=TEXT");
    }
}
