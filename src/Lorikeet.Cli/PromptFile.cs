using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>A file of prompts: one a line, or JSON lines of <c>{"prompt": …}</c> or <c>{"messages": […]}</c>.</summary>
internal static class PromptFile
{
    /// <summary>One prompt: a text, or a conversation as a line of JSON.</summary>
    /// <param name="Line">Where it stands, from 1; 0 for one that stands in no file.</param>
    /// <param name="Text">What to continue; null for a conversation.</param>
    /// <param name="Chat">The conversation's line.</param>
    public readonly record struct Entry(int Line, string? Text, string? Chat);

    /// <summary>Reads the file; empty lines are left out.</summary>
    /// <exception cref="InputException">It cannot be read, holds no prompt, or lines are broken; all problems are listed.</exception>
    public static IReadOnlyList<Entry> Read(string path)
    {
        List<Entry> entries = [];
        List<string> problems = [];
        bool json = path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);
        using Utf8Input reader = Utf8Input.Open(path);
        try
        {
            foreach ((int number, string line) in InputLines.Read(reader))
            {
                if (line.AsSpan().Trim().IsEmpty)
                    continue;
                if (!json)
                    entries.Add(new Entry(number, line, null));
                else if (Parse(number, line) is { } entry)
                    entries.Add(entry);
                else
                    problems.Add($"line {number}: an object with \"prompt\" (a string) or \"messages\" (a list) was expected");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
        if (problems.Count > 0)
            throw new InputException($"{path}: the prompts cannot be used", problems);
        return entries.Count > 0 ? entries : throw new InputException($"{path}: holds no prompt");
    }

    private static Entry? Parse(int number, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return null;
            if (root.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array)
                return new Entry(number, null, line);
            return root.TryGetProperty("prompt", out JsonElement prompt) && InputLines.TextOf(prompt) is { } text ? new Entry(number, text, null) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
