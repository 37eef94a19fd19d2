using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet tokenize</c>: lines in, lines of JSON out.</summary>
public class TokenizeCommandTests
{
    private static string Gpt2 => GoldenData.Path("tokenizers", "gpt2", "tokenizer.json");

    [Fact]
    public void A_line_becomes_ids_tokens_and_offsets_in_UTF_16()
    {
        CommandRun run = CommandRun.With("Hello 😀 world\n", "tokenize", Gpt2).Succeeded();
        using JsonDocument line = JsonDocument.Parse(run.Lines.ShouldHaveSingleItem());
        int[] ids = [.. line.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        ids[0].ShouldBe(15496);
        line.RootElement.GetProperty("tokens").EnumerateArray().First().GetString().ShouldBe("Hello");
        JsonElement last = line.RootElement.GetProperty("offsets").EnumerateArray().Last();
        last.GetRawText().ShouldBe("[8,14]");
    }

    [Fact]
    public void Golden_ids_come_out_of_JSON_lines_and_lead_back_to_the_text()
    {
        JsonObject[] texts = [.. JsonNode.Parse(File.ReadAllText(GoldenData.Path("tokenizers", "texts.json")))!.AsArray().Select(text => text!.AsObject())];
        string input = string.Concat(texts.Select(text => new JsonObject { ["text"] = text["text"]!.DeepClone() }.ToJsonString() + "\n"));
        JsonNode[] expected = [.. File.ReadLines(GoldenData.Path("tokenizers", "gpt2.jsonl")).Select(line => JsonNode.Parse(line)!)];
        CommandRun run = CommandRun.With(input, "tokenize", Gpt2, "--jsonl", "--no-special").Succeeded();
        JsonNode[] actual = [.. run.Lines.Select(line => JsonNode.Parse(line)!)];
        actual.Select(line => line["ids"]!.ToJsonString()).ShouldBe(expected.Select(line => line["ids"]!.ToJsonString()));

        string ids = string.Concat(actual.Select(line => new JsonObject { ["ids"] = line["ids"]!.DeepClone() }.ToJsonString() + "\n"));
        CommandRun back = CommandRun.With(ids, "tokenize", Gpt2, "--decode").Succeeded();
        back.Lines.Select(line => (string?)JsonNode.Parse(line)!["text"]).ShouldBe(expected.Select(line => (string?)line["decoded"]));
    }

    [Fact]
    public void Special_tokens_stand_around_the_text_unless_told_otherwise()
    {
        string bert = GoldenData.Path("tokenizers", "bert-base-uncased", "vocab.txt");
        CommandRun.With("hello", "tokenize", bert).Succeeded().Output.ShouldStartWith("{\"ids\":[101,7592,102]");
        CommandRun.With("hello", "tokenize", bert, "--no-special").Succeeded().Output.ShouldStartWith("{\"ids\":[7592]");
    }

    [Theory]
    [InlineData("{\"text\": \"a\"}\n{\"txt\": \"b\"}\n", "line 2", "--jsonl")]
    [InlineData("{\"text\": \"a\"}\nnonsense\n", "line 2", "--jsonl")]
    [InlineData("{\"text\": \"\\ud800\"}\n", "line 1", "--jsonl")]
    [InlineData("{\"ids\": [0]}\n{\"ids\": [99999]}\n", "line 2: ids: 99999 is no token; numbers from 0 to 50256 are", "--decode")]
    [InlineData("{\"ids\": [-1]}\n", "line 1: ids: -1 is no token", "--decode")]
    [InlineData("{\"ids\": [1, -2.5]}\n", "-2.5", "--decode")]
    public void A_broken_line_is_named_by_its_number(string input, string named, string option)
    {
        CommandRun run = CommandRun.With(input, "tokenize", Gpt2, option);
        run.Code.ShouldBe(2);
        run.Error.ShouldContain(named);
    }

    [Fact]
    public void Only_a_line_feed_ends_a_line()
    {
        CommandRun run = CommandRun.With("a\u2028b\rc\r\n\nd", "tokenize", Gpt2).Succeeded();
        run.Lines.Length.ShouldBe(3);
    }
}
