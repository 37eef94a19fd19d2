using System.Text;
using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>Lines of standard input. Only a line feed ends a line (with the carriage return before it), so that texts may hold any other character.</summary>
internal static class InputLines
{
    /// <summary>Every line with its number, from 1.</summary>
    public static IEnumerable<(int Number, string Line)> Read(TextReader reader)
    {
        StringBuilder line = new();
        char[] buffer = new char[1 << 14];
        int number = 0;
        while (reader.Read(buffer, 0, buffer.Length) is > 0 and int count)
        {
            int from = 0;
            for (int end; (end = Array.IndexOf(buffer, '\n', from, count - from)) >= 0; from = end + 1)
            {
                line.Append(buffer, from, end - from);
                if (line.Length > 0 && line[^1] == '\r')
                    line.Length--;
                yield return (++number, line.ToString());
                line.Clear();
            }
            line.Append(buffer, from, count - from);
        }
        if (line.Length > 0)
            yield return (number + 1, line.ToString());
    }

    /// <summary>A line as a JSON object.</summary>
    /// <exception cref="InputException">It is none.</exception>
    public static JsonDocument ParseObject(int number, string line)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line);
        }
        catch (JsonException e)
        {
            throw Wrong(number, $"this is not JSON ({e.Message.Split('.')[0]})");
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document.Dispose();
        throw Wrong(number, "a JSON object was expected");
    }

    /// <summary>A JSON string's text; null for another value or one that is no Unicode text.</summary>
    public static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A problem of a line.</summary>
    public static InputException Wrong(int number, string problem) => new($"standard input, line {number}: {problem}");
}
