using System.CommandLine;
using System.Text.Json;
using Lorikeet.Inference;
using Lorikeet.Text;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet tokenize</c>: text to tokens and back, a line at a time.</summary>
internal static class TokenizeCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = new("MODEL_OR_TOKENIZER") { Description = "A model as elsewhere, or a tokenizer file: tokenizer.json, tokenizer.model, vocab.json, vocab.txt" };
        Option<bool> jsonLines = new("--jsonl") { Description = "Read lines of {\"text\": …} instead of plain lines" };
        Option<bool> decode = new("--decode") { Description = "Read lines of {\"ids\": […]}, write lines of {\"text\": …}" };
        Option<bool> noSpecial = new("--no-special") { Description = "Do not put begin and end tokens around the text; with --decode, leave special tokens out" };
        ExampleCommand command = new("tokenize", "Turn lines of standard input into tokens, one line of JSON each: ids, tokens and offsets (UTF-16 units).",
            "echo \"Hello, world\" | lorikeet tokenize models/smollm2\necho '{\"ids\": [19556, 28]}' | lorikeet tokenize models/smollm2 --decode")
        {
            model, jsonLines, decode, noSpecial,
        };
        command.SetAction(parse =>
        {
            Tokenizer tokenizer = ModelFiles.Find(parse.GetRequiredValue(model)).LoadTokenizer();
            bool special = !parse.GetValue(noSpecial);
            if (parse.GetValue(decode))
                Decode(tokenizer, !special, terminal);
            else
                Encode(tokenizer, parse.GetValue(jsonLines), special, terminal);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Encode(Tokenizer tokenizer, bool jsonLines, bool special, Terminal terminal)
    {
        JsonLineWriter output = new(terminal.Out);
        foreach ((int number, string line) in InputLines.Read(terminal.In))
        {
            terminal.Interrupted.ThrowIfCancellationRequested();
            string text = jsonLines ? Text(number, line) : line;
            TokenizedText tokens = tokenizer.Encode(text, special);
            output.Write(json =>
            {
                json.WriteStartArray("ids");
                foreach (int id in tokens.Ids)
                    json.WriteNumberValue(id);
                json.WriteEndArray();
                json.WriteStartArray("tokens");
                foreach (string token in tokens.Tokens)
                    json.WriteStringValue(token);
                json.WriteEndArray();
                json.WriteStartArray("offsets");
                foreach ((int start, int end) in tokens.Offsets)
                {
                    json.WriteStartArray();
                    json.WriteNumberValue(start);
                    json.WriteNumberValue(end);
                    json.WriteEndArray();
                }
                json.WriteEndArray();
            });
        }
    }

    private static void Decode(Tokenizer tokenizer, bool skipSpecial, Terminal terminal)
    {
        JsonLineWriter output = new(terminal.Out);
        foreach ((int number, string line) in InputLines.Read(terminal.In))
        {
            terminal.Interrupted.ThrowIfCancellationRequested();
            string text = tokenizer.Decode(Ids(number, line, tokenizer.VocabularySize), skipSpecial);
            output.Write(json => json.WriteString("text", text));
        }
    }

    private static string Text(int number, string line)
    {
        using JsonDocument document = InputLines.ParseObject(number, line);
        return document.RootElement.TryGetProperty("text", out JsonElement text) && InputLines.TextOf(text) is { } value
            ? value
            : throw InputLines.Wrong(number, "an object with \"text\", a string, was expected");
    }

    private static int[] Ids(int number, string line, int vocabulary)
    {
        using JsonDocument document = InputLines.ParseObject(number, line);
        if (!document.RootElement.TryGetProperty("ids", out JsonElement ids) || ids.ValueKind != JsonValueKind.Array)
            throw InputLines.Wrong(number, "an object with \"ids\", a list of token numbers, was expected");
        return [.. ids.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int value) && (uint)value < (uint)vocabulary
            ? value
            : throw InputLines.Wrong(number, $"ids: {id.GetRawText()} is no token; numbers from 0 to {vocabulary - 1} are"))];
    }
}
