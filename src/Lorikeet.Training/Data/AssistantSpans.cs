using System.Text.Json.Nodes;
using Lorikeet.Text;

namespace Lorikeet.Training;

/// <summary>
/// Finds what the assistant says in a rendered conversation. A template that marks it is believed. For others the conversation is rendered up to
/// before each of the assistant's messages and up to after it: what comes between is the turn. That is only right where a longer conversation
/// begins with the text of a shorter one, so this is checked.
/// </summary>
internal sealed class AssistantSpans(ChatRenderer render, Tokenizer tokenizer)
{
    /// <summary>The text of a conversation and the parts of it that are learned; null with a reason where they cannot be told.</summary>
    /// <param name="chat">The conversation.</param>
    /// <param name="lastOnly">Learn only the last message of the assistant.</param>
    public (string Text, List<(int Start, int End)> Spans, string? Problem) Find(ChatRow chat, bool lastOnly)
    {
        RenderedChat whole = render.Whole(chat);
        List<int> learned = [.. Enumerable.Range(chat.Given, chat.Messages.Count - chat.Given).Where(i => IsLearned((JsonObject)chat.Messages[i]!))];
        if (lastOnly && learned.Count > 0)
            learned.RemoveRange(0, learned.Count - 1);
        // marks that the template lost on the way to its text say nothing
        return whole.GenerationSpans.Count > 0 && !whole.HasUnplacedGeneration ? Marked(chat, whole.Text, whole.GenerationSpans, learned) : Rendered(chat, whole.Text, learned);
    }

    private static bool IsLearned(JsonObject message) =>
        ChatFields.Role(message) == "assistant" && message["weight"]?.ToJsonString() is not ("0" or "0.0" or "false");

    private (string, List<(int, int)>, string?) Marked(ChatRow chat, string text, IReadOnlyList<(int Start, int End)> marked, List<int> learned)
    {
        int speeches = chat.Messages.Count(message => ChatFields.Role((JsonObject)message!) == "assistant");
        if (learned.Count == speeches)
            return (text, [.. marked], null);

        // some are not learned: a message's marks are those that rendering it adds
        List<(int, int)> spans = [];
        foreach (int message in learned)
        {
            int before = message == 0 ? 0 : render.First(chat, message, answer: false).GenerationSpans.Count;
            int after = render.First(chat, message + 1, answer: false).GenerationSpans.Count;
            if (after > marked.Count)
                return (text, spans, $"the template marks message {message + 1} otherwise when others follow; learn all of the assistant's turns (loss_on: assistant), or everything (loss_on: all)");
            spans.AddRange(marked.Take(before..after));
        }
        return (text, spans, null);
    }

    private (string, List<(int, int)>, string?) Rendered(ChatRow chat, string text, List<int> learned)
    {
        List<(int, int)> spans = [];
        foreach (int message in learned)
        {
            string before = render.First(chat, message, answer: true).Text;
            if (!text.StartsWith(before, StringComparison.Ordinal))
                return (text, spans, Differs($"when the assistant is to answer with message {message + 1}", before, text));
            string through = render.First(chat, message + 1, answer: false).Text;
            int end = text.StartsWith(through, StringComparison.Ordinal) ? EndOfTurn(text, before.Length, through.Length) : EndAfterContent(chat, message, text, before.Length, through);
            if (end < 0)
                return (text, spans, Differs($"when it ends with message {message + 1}", through, text));
            spans.Add((before.Length, end));
        }
        return (text, spans, null);
    }

    // white space after the token that ends the turn belongs to what follows: generation stops at that token
    private int EndOfTurn(string text, int start, int end)
    {
        string turn = text[start..end];
        string trimmed = turn.TrimEnd();
        return trimmed.Length < turn.Length && EndToken(trimmed) is not null ? start + trimmed.Length : end;
    }

    // Some templates render a message otherwise when others follow it: Qwen3 leaves out what was thought, Phi-3.5 ends the whole conversation with one more
    // token. The turn then ends with the special token that stands behind what is said.
    private int EndAfterContent(ChatRow chat, int message, string text, int start, string through)
    {
        int said = ContentEnd(chat, message, text, start);
        if (said < 0)
            return -1;
        bool calls = chat.Messages[message]!["tool_calls"] is JsonArray { Count: > 0 };
        TokenizedText tokens = tokenizer.Encode(text, addSpecial: false);
        for (int i = 0; i < tokens.Count; i++)
        {
            (int from, int to) = tokens.Offsets[i];
            if (from < said || !tokenizer.IsSpecial(tokens.Ids[i]))
                continue;
            bool closes = calls ? tokenizer.TokenOf(tokens.Ids[i]) == EndToken(through.TrimEnd()) : string.IsNullOrWhiteSpace(text[said..from]);
            return closes ? to : -1;
        }
        return -1;
    }

    // Where the text of a message ends: what changes when the message says something else, with other letters at both ends.
    private int ContentEnd(ChatRow chat, int message, string text, int start)
    {
        string content = chat.Messages[message]!["content"] is JsonValue value && value.TryGetValue(out string? words) ? words.Trim() : "";
        if (content.Length == 0)
            return start;
        JsonArray changed = (JsonArray)chat.Messages.DeepClone();
        changed[message]!["content"] = ((string[])["x", "y", "z"]).First(other => content[0] != other[0] && content[^1] != other[0]);
        string rendered = render.Whole(chat with { Messages = changed }).Text;
        int from = text.AsSpan().CommonPrefixLength(rendered), same = 0;
        while (same < text.Length - from && same < rendered.Length - from && text[^(same + 1)] == rendered[^(same + 1)])
            same++;
        int end = text.Length - same;
        return from >= start && content.EndsWith(text[from..end].Trim(), StringComparison.Ordinal) ? end : -1;
    }

    // the special token that a text ends with, or null
    private string? EndToken(string text)
    {
        int[] ids = tokenizer.EncodeIds(text.Length <= 64 ? text : text[^64..], addSpecial: false);
        return ids.Length > 0 && tokenizer.IsSpecial(ids[^1]) ? tokenizer.TokenOf(ids[^1]) : null;
    }

    private static string Differs(string occasion, string expected, string text)
    {
        int same = expected.AsSpan().CommonPrefixLength(text);
        return $"the template writes the conversation as '{Around(expected, same)}' {occasion}, but as '{Around(text, same)}' in the whole (from character {same + 1}), "
            + "so what the assistant says cannot be told from the rest. Give model.chat_template a template that marks it with {% generation %}, or learn everything (loss_on: all)";
    }

    private static string Around(string text, int at)
    {
        int start = Math.Max(0, at - 20), end = Math.Min(text.Length, at + 20);
        return (start > 0 ? "…" : "") + text[start..end].Replace("\n", "⏎", StringComparison.Ordinal) + (end < text.Length ? "…" : "");
    }
}
