using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>
/// Reads the fields of a <c>config.json</c> with their defaults and gathers every problem, so that all are reported at once. A field that is
/// null counts as absent, as in transformers.
/// </summary>
public sealed class ConfigReader
{
    private readonly JsonElement _root;
    private readonly List<string> _problems;
    private readonly string _prefix;

    private ConfigReader(string file, JsonElement root, List<string> problems, string prefix)
    {
        File = file;
        _root = root;
        _problems = problems;
        _prefix = prefix;
    }

    /// <summary>What messages call the file.</summary>
    public string File { get; }

    /// <summary>Reads text.</summary>
    /// <exception cref="InputException">It is no JSON object.</exception>
    public static ConfigReader Parse(string file, string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InputException($"{file}: a configuration is a JSON object, this is {document.RootElement.ValueKind}");
            return new ConfigReader(file, document.RootElement.Clone(), [], "");
        }
        catch (JsonException e)
        {
            throw new InputException($"{file}: not valid JSON at line {e.LineNumber + 1} ({e.Message.Split('.')[0]})", e);
        }
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">It is missing or no JSON object.</exception>
    public static ConfigReader Open(string path)
    {
        try
        {
            return Parse(path, System.IO.File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    /// <summary>The raw object.</summary>
    public JsonElement Json => _root;

    /// <summary>True where the field is there and not null.</summary>
    public bool Has(string name) => _root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A nested object, or null.</summary>
    public ConfigReader? Object(string name)
    {
        if (!Find(name, out JsonElement value))
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new ConfigReader(File, value, _problems, $"{_prefix}{name}.");
        Wrong(name, "an object", value);
        return null;
    }

    /// <summary>A whole number that must be there and lie within bounds.</summary>
    public int Size(string name, int minimum = 1, int maximum = 1 << 24) => Find(name, out _) ? Size(name, 0, minimum, maximum) : Absent(name, "a whole number");

    /// <summary>A whole number within bounds.</summary>
    public int Size(string name, int fallback, int minimum, int maximum)
    {
        if (!Find(name, out JsonElement value))
            return fallback;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number == Math.Floor(number) && number >= minimum && number <= maximum)
            return (int)number;
        Wrong(name, $"a whole number from {minimum} to {maximum}", value);
        return Math.Max(1, minimum);
    }

    /// <summary>A finite number.</summary>
    public double Number(string name, double fallback)
    {
        if (!Find(name, out JsonElement value))
            return fallback;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number))
            return number;
        Wrong(name, "a number", value);
        return fallback;
    }

    /// <summary>A finite number, or null where absent.</summary>
    public double? NumberOrNull(string name) => Find(name, out _) ? Number(name, 0) : null;

    /// <summary>True or false.</summary>
    public bool Flag(string name, bool fallback)
    {
        if (!Find(name, out JsonElement value))
            return fallback;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Wrong(name, "true or false", value);
        return fallback;
    }

    /// <summary>A text.</summary>
    public string Text(string name, string fallback)
    {
        if (!Find(name, out JsonElement value))
            return fallback;
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString()!;
        Wrong(name, "a text", value);
        return fallback;
    }

    /// <summary>A list of numbers; empty where absent.</summary>
    public IReadOnlyList<double> Numbers(string name)
    {
        if (!Find(name, out JsonElement value))
            return [];
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number))
            return [.. value.EnumerateArray().Select(item => item.GetDouble())];
        Wrong(name, "a list of numbers", value);
        return [];
    }

    /// <summary>A list of texts; empty where absent.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!Find(name, out JsonElement value))
            return [];
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        Wrong(name, "a list of texts", value);
        return [];
    }

    /// <summary>Notes a problem that the caller found; the same one counts once.</summary>
    public void Problem(string name, string text)
    {
        string problem = $"{_prefix}{name}: {text}";
        if (!_problems.Contains(problem))
            _problems.Add(problem);
    }

    /// <summary>Reports every problem met so far.</summary>
    /// <exception cref="InputException">There were some.</exception>
    public void ThrowIfBroken()
    {
        if (_problems.Count > 0)
            throw new InputException($"{File}: the configuration cannot be used", [.. _problems]);
    }

    private bool Find(string name, out JsonElement value) => _root.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private int Absent(string name, string expected)
    {
        Problem(name, $"is missing, {expected} was expected");
        return 1;
    }

    private void Wrong(string name, string expected, JsonElement found)
    {
        string text = found.GetRawText();
        Problem(name, $"{expected} was expected, found {(text.Length > 60 ? text[..60] + "…" : text)}");
    }
}
