using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Reads JSON text as Python wrote it: strict JSON, but bare <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> are numbers. Numbers keep their
/// spelling, keys their order; a key that occurs twice is an error.
/// </summary>
public static class JsonText
{
    private const char Mark = '\uE0F5';

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Parses UTF-8 text; a byte-order mark is skipped.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="description">What messages call it: a path.</param>
    /// <exception cref="InputException">It is not JSON; the message gives line and column.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, string description)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[3..];
        if (!Utf8.IsValid(utf8))
            throw new InputException($"{description}: not valid UTF-8 text");
        try
        {
            return Touched(JsonNode.Parse(utf8, documentOptions: Strict));
        }
        catch (InvalidOperationException e)
        {
            throw HalfPair(e, description);
        }
        catch (JsonException e)
        {
            if ((utf8.IndexOf("NaN"u8) >= 0 || utf8.IndexOf("Infinity"u8) >= 0) && Marked(utf8) is { } marked)
                return ParseMarked(marked, description);
            throw Broken(e, description);
        }
    }

    private static JsonNode? ParseMarked(string marked, string description)
    {
        try
        {
            return Unmark(Touched(JsonNode.Parse(marked, documentOptions: Strict)));
        }
        catch (InvalidOperationException e)
        {
            throw HalfPair(e, description);
        }
        catch (JsonException e)
        {
            throw Broken(e, description);
        }
    }

    private static InputException HalfPair(InvalidOperationException e, string description) =>
        new($"{description}: a string holds half a surrogate pair (\\ud800 – \\udfff without its other half)", e);

    /// <summary>Reads every string once: the parser leaves that for later, when nobody would expect a failure.</summary>
    private static JsonNode? Touched(JsonNode? node)
    {
        Touch(node);
        return node;
    }

    private static void Touch(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (KeyValuePair<string, JsonNode?> member in map)
                    Touch(member.Value);
                break;
            case JsonArray list:
                foreach (JsonNode? item in list)
                    Touch(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                value.GetValue<string>();
                break;
        }
    }

    private static InputException Broken(JsonException e, string description)
    {
        // the runtime's text ends with its own account of the place, counted from zero
        string reason = e.Message;
        int place = reason.IndexOf(" Path: ", StringComparison.Ordinal);
        if (place < 0)
            place = reason.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        if (place >= 0)
            reason = reason[..place];
        string where = e.LineNumber is long line
            ? string.Create(CultureInfo.InvariantCulture, $"line {line + 1}, column {e.BytePositionInLine + 1}")
            : "somewhere";
        return new InputException($"{description}: {where}: not valid JSON: {reason}", e);
    }

    /// <summary>The text with each bare word that JSON lacks turned into a marked string; null where there is none.</summary>
    private static string? Marked(ReadOnlySpan<byte> utf8)
    {
        string text = Encoding.UTF8.GetString(utf8);
        StringBuilder marked = new(text.Length + 16);
        bool inString = false, any = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (inString && c == '\\' && i + 1 < text.Length)
            {
                marked.Append(c).Append(text[++i]);
                continue;
            }
            if (c == '"')
                inString = !inString;
            string? word = inString ? null : WordAt(text.AsSpan(i));
            if (word is null)
            {
                marked.Append(c);
                continue;
            }
            marked.Append('"').Append(Mark).Append(word).Append('"');
            i += word.Length - 1;
            any = true;
        }
        return any ? marked.ToString() : null;
    }

    private static string? WordAt(ReadOnlySpan<char> text)
    {
        foreach (string word in (ReadOnlySpan<string>)["NaN", "Infinity", "-Infinity"])
            if (text.StartsWith(word, StringComparison.Ordinal) && (text.Length == word.Length || !char.IsAsciiLetterOrDigit(text[word.Length])))
                return word;
        return null;
    }

    private static JsonNode? Unmark(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (string key in map.Select(member => member.Key).ToArray())
                    if (Number(map[key]) is double number)
                        map[key] = number;
                    else
                        Unmark(map[key]);
                break;
            case JsonArray list:
                for (int i = 0; i < list.Count; i++)
                    if (Number(list[i]) is double number)
                        list[i] = number;
                    else
                        Unmark(list[i]);
                break;
        }
        return Number(node) is double alone ? JsonValue.Create(alone) : node;
    }

    private static double? Number(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() is [Mark, .. string word]
            ? word switch { "NaN" => double.NaN, "Infinity" => double.PositiveInfinity, _ => double.NegativeInfinity }
            : null;
}
