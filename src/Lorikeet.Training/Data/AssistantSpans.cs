using System.Text.Json.Nodes;
using Lorikeet.Text;

namespace Lorikeet.Training;

/// <summary>A rendered conversation: its text, and the parts inside <c>{% generation %}</c>, in UTF-16 units, end exclusive.</summary>
internal delegate (string Text, IReadOnlyList<(int Start, int End)> Spans) RenderChat(JsonArray messages, JsonArray? tools, bool addGenerationPrompt);

/// <summary>
/// Finds what the assistant says in a rendered conversation. A template that marks it is believed. For others the conversation is rendered up to
/// before each of the assistant's messages and up to after it: what comes between is the turn. That is only right where a longer conversation
/// begins with the text of a shorter one, so this is checked.
/// </summary>
internal sealed class AssistantSpans(RenderChat render, Tokenizer tokenizer)
{
    /// <summary>The text of a conversation and the parts of it that are learned; null with a reason where they cannot be told.</summary>
    /// <param name="chat">The conversation.</param>
    /// <param name="lastOnly">Learn only the last message of the assistant.</param>
    public (string Text, List<(int Start, int End)> Spans, string? Problem) Find(ChatRow chat, bool lastOnly)
    {
        (string text, IReadOnlyList<(int Start, int End)> marked) = render(chat.Messages, chat.Tools, false);
        List<int> learned = [.. Enumerable.Range(chat.Given, chat.Messages.Count - chat.Given).Where(i => IsLearned((JsonObject)chat.Messages[i]!))];
        if (lastOnly && learned.Count > 0)
            learned.RemoveRange(0, learned.Count - 1);
        return marked.Count > 0 ? Marked(chat, text, marked, learned) : Rendered(chat, text, learned);
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
            int before = message == 0 ? 0 : render(First(chat, message), chat.Tools, false).Spans.Count;
            int after = render(First(chat, message + 1), chat.Tools, false).Spans.Count;
            if (after > marked.Count)
                return (text, spans, $"the template marks message {message + 1} differently when others follow; learn all of the assistant's turns (loss_on: assistant), or everything (loss_on: all)");
            spans.AddRange(marked.Take(before..after));
        }
        return (text, spans, null);
    }

    private (string, List<(int, int)>, string?) Rendered(ChatRow chat, string text, List<int> learned)
    {
        List<(int, int)> spans = [];
        foreach (int message in learned)
        {
            string before = render(First(chat, message), chat.Tools, true).Text;
            if (!text.StartsWith(before, StringComparison.Ordinal))
                return (text, spans, Differs(message, before, text));
            string through = render(First(chat, message + 1), chat.Tools, false).Text;
            int end = text.StartsWith(through, StringComparison.Ordinal) ? EndOfTurn(text, before.Length, through.Length) : FirstEnd(chat, message, text, before.Length, through);
            if (end < 0)
                return (text, spans, Differs(message, through, text));
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

    // Templates that shorten earlier turns (Qwen3 leaves out what was thought) render this message otherwise when others follow it. Its turn then
    // ends where the token comes first that ends it when it is the last one.
    private int FirstEnd(ChatRow chat, int message, string text, int start, string through)
    {
        if (EndToken(through.TrimEnd()) is not { } ending)
            return -1;
        int end = text.IndexOf(ending, start, StringComparison.Ordinal);
        if (end < 0 || chat.Messages[message]!["content"] is not JsonValue content || !content.TryGetValue(out string? said))
            return -1;
        int spoken = said.LastIndexOf("</think>", StringComparison.Ordinal) is int thought and >= 0 ? thought + "</think>".Length : 0;
        return text.AsSpan(start, end - start).Contains(said.AsSpan(spoken).Trim(), StringComparison.Ordinal) ? end + ending.Length : -1;
    }

    // the special token that a text ends with, or null
    private string? EndToken(string text)
    {
        int[] ids = tokenizer.EncodeIds(text.Length <= 64 ? text : text[^64..], addSpecial: false);
        return ids.Length > 0 && tokenizer.IsSpecial(ids[^1]) ? tokenizer.TokenOf(ids[^1]) : null;
    }

    private static string Differs(int message, string expected, string text)
    {
        int same = 0;
        while (same < expected.Length && same < text.Length && expected[same] == text[same])
            same++;
        return $"the template renders the conversation up to message {message + 1} as '{Around(expected, same)}', but the whole of it as '{Around(text, same)}' (from character {same + 1}), "
            + "so what the assistant says cannot be told from the rest. Give model.chat_template a template that marks it with {% generation %}, learn only the last turn (loss_on: completion), or learn everything (loss_on: all)";
    }

    private static string Around(string text, int at)
    {
        int start = Math.Max(0, at - 20), end = Math.Min(text.Length, at + 20);
        return (start > 0 ? "…" : "") + text[start..end].Replace("\n", "⏎", StringComparison.Ordinal) + (end < text.Length ? "…" : "");
    }

    private static JsonArray First(ChatRow chat, int count) => [.. chat.Messages.Take(count).Select(message => message!.DeepClone())];
}
