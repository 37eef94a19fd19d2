using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Text;

/// <summary>JSON as Python's json module reads it: objects keep the order of their keys, numbers without point or exponent are int.</summary>
internal static class JsonValues
{
    public static object? From(JsonElement element)
    {
        try
        {
            return From(element, 0);
        }
        catch (InvalidOperationException error) when (error is not ObjectDisposedException)
        {
            throw new ArgumentException("JSON for a template holds half of a surrogate pair, which is no text", error);
        }
    }

    public static object? From(JsonNode? node) => From(node, 0);

    private static object? From(JsonElement element, int depth)
    {
        CheckDepth(depth);
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                PythonDictBuilder dict = new();
                foreach (JsonProperty property in element.EnumerateObject())
                    dict.Set(property.Name, From(property.Value, depth + 1));
                return dict.Build();
            case JsonValueKind.Array:
                object?[] items = new object?[element.GetArrayLength()];
                int at = 0;
                foreach (JsonElement item in element.EnumerateArray())
                    items[at++] = From(item, depth + 1);
                return new PythonList(items);
            case JsonValueKind.String:
                return element.GetString();
            case JsonValueKind.Number:
                return element.TryGetInt64(out long integer) ? Boxed.Int(integer) : Number(element.GetRawText());
            case JsonValueKind.True:
                return Boxed.True;
            case JsonValueKind.False:
                return Boxed.False;
            default:
                return null;
        }
    }

    private static object? From(JsonNode? node, int depth)
    {
        CheckDepth(depth);
        switch (node)
        {
            case null:
                return null;
            case JsonObject json:
                PythonDictBuilder dict = new(json.Count);
                foreach ((string name, JsonNode? value) in json)
                    dict.Set(name, From(value, depth + 1));
                return dict.Build();
            case JsonArray array:
                object?[] items = new object?[array.Count];
                for (int i = 0; i < items.Length; i++)
                    items[i] = From(array[i], depth + 1);
                return new PythonList(items);
            default:
                JsonValue scalar = node.AsValue();
                if (scalar.TryGetValue(out JsonElement element))
                    return From(element, depth);
                if (scalar.TryGetValue(out string? text))
                    return text;
                using (JsonDocument document = JsonDocument.Parse(scalar.ToJsonString()))
                    return From(document.RootElement, depth);
        }
    }

    private static object Number(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
            return double.Parse(text, CultureInfo.InvariantCulture);
        return text.Length <= PythonNumbers.MaxDigits
            ? Boxed.Int(BigInteger.Parse(text, CultureInfo.InvariantCulture))
            : throw new ArgumentException($"a number of {text.Length} digits is too long for a template: at most {PythonNumbers.MaxDigits}");
    }

    private static void CheckDepth(int depth)
    {
        if (depth >= PythonContainer.MaxNesting)
            throw new ArgumentException($"JSON for a template is nested more than {PythonContainer.MaxNesting} deep");
    }
}
