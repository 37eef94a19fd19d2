using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>Rows that are JSON objects: one a line, or the items of one list.</summary>
internal static class JsonRows
{
    private const int LargestList = 1 << 30;

    // a key that occurs twice would be read differently by every reader
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>An object a line; empty lines do not count.</summary>
    public static IEnumerable<(RowOrigin Origin, JsonObject Row)> Lines(string path, ProblemList problems)
    {
        foreach ((int line, string text) in Utf8Lines.Read(path, problems))
        {
            if (string.IsNullOrWhiteSpace(text))
                continue;
            RowOrigin origin = new(path, line);
            if (Parse(origin, text, problems) is { } row)
                yield return (origin, row);
        }
    }

    /// <summary>The objects of a list.</summary>
    public static IEnumerable<(RowOrigin Origin, JsonObject Row)> List(string path, ProblemList problems)
    {
        if (!Utf8Lines.Check(path, problems))
            yield break;
        if (new FileInfo(path).Length > LargestList)
        {
            problems.Add($"{path}: found a JSON list of {new FileInfo(path).Length:N0} bytes, expected at most {LargestList:N0}. Write large data as JSON lines, which are read one by one.");
            yield break;
        }
        byte[] bytes = File.ReadAllBytes(path);
        int position = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? 3 : 0;
        int line = 1;
        JsonReaderState state = default;
        bool inside = false;
        while (true)
        {
            RowOrigin origin;
            JsonNode? item;
            string raw;
            int began = position;
            try
            {
                Utf8JsonReader reader = new(bytes.AsSpan(position), isFinalBlock: true, state);
                if (!reader.Read())
                    yield break;
                began = position + (int)reader.TokenStartIndex;
                if (!inside)
                {
                    if (reader.TokenType != JsonTokenType.StartArray)
                        throw new JsonException("expected a list of objects");
                    inside = true;
                    (position, state) = (position + (int)reader.BytesConsumed, reader.CurrentState);
                    line += bytes.AsSpan(0, position).Count((byte)'\n');
                    continue;
                }
                if (reader.TokenType == JsonTokenType.EndArray)
                    yield break;
                line += bytes.AsSpan(position, began - position).Count((byte)'\n');
                using JsonDocument document = JsonDocument.ParseValue(ref reader);
                // parsed a second time, to refuse double keys
                raw = Encoding.UTF8.GetString(bytes.AsSpan(began, position + (int)reader.BytesConsumed - began));
                item = SurrogateEscapes.FirstHalf(raw) is null ? JsonNode.Parse(raw, documentOptions: Strict) : null;
                origin = new RowOrigin(path, line);
                line += bytes.AsSpan(began, position + (int)reader.BytesConsumed - began).Count((byte)'\n');
                (position, state) = (position + (int)reader.BytesConsumed, reader.CurrentState);
            }
            catch (JsonException failure)
            {
                problems.Add($"{new RowOrigin(path, 1 + bytes.AsSpan(0, Math.Min(began, bytes.Length)).Count((byte)'\n'))}: not a JSON list: {Reason(failure)}. "
                    + "Nothing after this place was read.");
                yield break;
            }
            if (IsHalf(origin, raw, problems))
                continue;
            if (item is JsonObject row)
                yield return (origin, row);
            else
                problems.Add($"{origin}: found {Describe(item)}, expected an object with fields.");
        }
    }

    /// <summary>What a value is, in words.</summary>
    public static string Describe(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a truth value",
        JsonValueKind.Array => "a list",
        _ => "an object",
    };

    private static JsonObject? Parse(RowOrigin origin, string text, ProblemList problems)
    {
        if (IsHalf(origin, text, problems))
            return null;
        try
        {
            JsonNode? node = JsonNode.Parse(text, documentOptions: Strict);
            if (node is JsonObject row)
                return row;
            problems.Add($"{origin}: found {Describe(node)}, expected an object with fields."
                + (origin.Line == 1 && node is JsonArray ? " If the file is one list of objects, set file_type: json." : ""));
        }
        catch (JsonException failure)
        {
            string hint = text.TrimStart() is "{" or "[" ? " A line must hold a whole object." : "";
            string place = failure.BytePositionInLine is { } position ? string.Create(Invariant, $" at byte {position + 1}") : "";
            problems.Add($"{origin}: not JSON{place}: {Reason(failure)}.{hint}");
        }
        return null;
    }

    private static bool IsHalf(RowOrigin origin, string text, ProblemList problems)
    {
        if (SurrogateEscapes.FirstHalf(text) is not { } half)
            return false;
        problems.Add($"{origin}: found {half}, half of a character that takes two such escapes; expected both. A text that was cut there needs its last character removed.");
        return true;
    }

    // the reader's own words without the place, which counts lines of its own
    private static string Reason(JsonException failure)
    {
        string message = failure.Message;
        foreach (string tail in new[] { " LineNumber:", " Path:", " Change the reader options.", " encountered during" })
        {
            int at = message.IndexOf(tail, StringComparison.Ordinal);
            if (at > 0)
                message = message[..at];
        }
        return message.TrimEnd('.', ' ');
    }
}
