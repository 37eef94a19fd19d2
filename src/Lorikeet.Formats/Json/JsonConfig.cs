using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// A configuration file (<c>config.json</c>, <c>adapter_config.json</c>). Unknown keys stay where they are, so reading and saving gives the same bytes.
/// Typed readers collect every problem instead of stopping at the first: read all fields, then call <see cref="Check"/>.
/// </summary>
public sealed class JsonConfig
{
    private readonly string _prefix;
    private readonly List<(string Path, string Text)> _problems;

    /// <summary>Wraps an object.</summary>
    /// <param name="root">The keys and values.</param>
    /// <param name="description">What messages call it: a path.</param>
    public JsonConfig(JsonObject root, string description) : this(root, description, "", []) { }

    private JsonConfig(JsonObject root, string description, string prefix, List<(string Path, string Text)> problems)
    {
        Root = root;
        Description = description;
        _prefix = prefix;
        _problems = problems;
    }

    /// <summary>The keys and values; what is changed here is saved.</summary>
    public JsonObject Root { get; }

    /// <summary>What messages call it: a path.</summary>
    public string Description { get; }

    /// <summary>What the readers below found wrong so far, in sections too.</summary>
    public IReadOnlyList<string> Problems => [.. _problems.Select(problem => $"`{problem.Path}`: {problem.Text}")];

    /// <summary>The same problems apart from their fields, for whoever knows where these were written.</summary>
    public IReadOnlyList<(string Field, string Text)> FieldProblems => [.. _problems];

    /// <summary>
    /// What a message about a field begins with, where fields stand in no file of their own: the place in a recipe and the name that the field has
    /// there. It is given the field's name, with dots where it lies in a section.
    /// </summary>
    public Func<string, string>? NameOf { get; init; }

    /// <summary>The same problems, each with its place.</summary>
    public IReadOnlyList<string> PlacedProblems =>
        [.. _problems.Select(problem => NameOf is null ? $"{Description}: `{problem.Path}`: {problem.Text}" : $"{NameOf(problem.Path)}: {problem.Text}")];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">There is no such file, it is not JSON, or not an object.</exception>
    public static JsonConfig Load(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(File.Exists(path) ? $"{path}: cannot be read ({e.Message})" : $"{path}: there is no such file", e);
        }
    }

    /// <summary>Reads text.</summary>
    /// <param name="utf8">JSON text, as Python reads it.</param>
    /// <param name="description">What messages call it.</param>
    /// <exception cref="InputException">It is not JSON, or not an object.</exception>
    public static JsonConfig Parse(ReadOnlySpan<byte> utf8, string description) => JsonText.Parse(utf8, description) switch
    {
        JsonObject root => new JsonConfig(root, description),
        JsonNode other => throw new InputException($"{description}: found {Kind(other)}, expected an object {{ \"key\": value, … }}"),
        null => throw new InputException($"{description}: found null, expected an object {{ \"key\": value, … }}"),
    };

    /// <summary>Reads text.</summary>
    /// <param name="json">JSON text, as Python reads it.</param>
    /// <param name="description">What messages call it.</param>
    /// <exception cref="InputException">It is not JSON, or not an object.</exception>
    public static JsonConfig Parse(string json, string description) => Parse(Encoding.UTF8.GetBytes(json), description);

    /// <summary>Writes the file, all or nothing.</summary>
    /// <exception cref="InputException">The place cannot be written.</exception>
    public void Save(string path, JsonStyle style) => AtomicFile.WriteText(path, PythonJson.Write(Root, style));

    /// <summary>True where the key has a value other than null.</summary>
    public bool Has(string key) => Root[key] is not null;

    /// <summary>A whole number, or <paramref name="fallback"/> where the key is absent or null.</summary>
    public int Int32(string key, int fallback) => Int32OrNull(key) ?? fallback;

    /// <summary>A whole number that must be there.</summary>
    public int Int32(string key) => Int32OrNull(key) ?? Missing(key, "a whole number", 0);

    /// <summary>A whole number; null where the key is absent or null.</summary>
    public int? Int32OrNull(string key) => Read<int>(key, "a whole number", node => WholeNumber(node) is long value and >= int.MinValue and <= int.MaxValue ? (int)value : null);

    /// <summary>A whole number within bounds, for something that memory is taken by.</summary>
    /// <param name="key">The field.</param>
    /// <param name="fallback">Where the key is absent or null; the field must be there where this is null.</param>
    /// <param name="minimum">The least.</param>
    /// <param name="maximum">The most.</param>
    public int Size(string key, int? fallback = null, int minimum = 1, int maximum = 1 << 24)
    {
        string expected = string.Create(CultureInfo.InvariantCulture, $"a whole number from {minimum} to {maximum}");
        int? size = Read<int>(key, expected, node => WholeNumber(node) is long value && value >= minimum && value <= maximum ? (int)value : null);
        return size ?? (Has(key) ? Math.Max(1, minimum) : fallback ?? Missing(key, expected, Math.Max(1, minimum)));
    }

    /// <summary>A finite number, or <paramref name="fallback"/> where the key is absent or null.</summary>
    public double Number(string key, double fallback) => NumberOrNull(key) ?? fallback;

    /// <summary>A finite number that must be there.</summary>
    public double Number(string key) => NumberOrNull(key) ?? Missing(key, "a number", 0.0);

    /// <summary>A finite number; null where the key is absent or null.</summary>
    public double? NumberOrNull(string key) => Read<double>(key, Root[key] is { } found && NumberOf(found) is not null ? "a finite number" : "a number", node => NumberOf(node) is { } number && double.IsFinite(number) ? number : null);

    /// <summary>True or false, or <paramref name="fallback"/> where the key is absent or null.</summary>
    public bool Flag(string key, bool fallback) => FlagOrNull(key) ?? fallback;

    /// <summary>True or false; null where the key is absent or null.</summary>
    public bool? FlagOrNull(string key) => Read<bool>(key, "true or false", node => node.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    });

    /// <summary>A string, or <paramref name="fallback"/> where the key is absent or null.</summary>
    public string Text(string key, string fallback) => TextOrNull(key) ?? fallback;

    /// <summary>A string that must be there.</summary>
    public string Text(string key) => TextOrNull(key) ?? Missing(key, "a string", "");

    /// <summary>A string; null where the key is absent or null.</summary>
    public string? TextOrNull(string key)
    {
        if (Root[key] is not { } node)
            return null;
        if (node.GetValueKind() == JsonValueKind.String)
            return node.GetValue<string>();
        Wrong(key, node, "a string");
        return null;
    }

    /// <summary>A list of strings; null where the key is absent or null. A single string counts as a list of one.</summary>
    public IReadOnlyList<string>? TextsOrNull(string key)
    {
        switch (Root[key])
        {
            case null:
                return null;
            case JsonArray list when list.All(item => item?.GetValueKind() == JsonValueKind.String):
                return [.. list.Select(item => item!.GetValue<string>())];
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                return [value.GetValue<string>()];
            case JsonNode other:
                Wrong(key, other, "a list of strings");
                return null;
        }
    }

    /// <summary>A list of numbers; null where the key is absent or null. A single number counts as a list of one.</summary>
    public IReadOnlyList<double>? NumbersOrNull(string key)
    {
        switch (Root[key])
        {
            case null:
                return null;
            case JsonArray list when list.All(item => item is not null && NumberOf(item) is not null):
                return [.. list.Select(item => NumberOf(item!)!.Value)];
            case JsonValue value when NumberOf(value) is double number:
                return [number];
            case JsonNode other:
                Wrong(key, other, "a list of numbers");
                return null;
        }
    }

    /// <summary>An object inside this one, whose problems are collected here too; null where the key is absent or null.</summary>
    public JsonConfig? Section(string key)
    {
        switch (Root[key])
        {
            case null:
                return null;
            case JsonObject section:
                return new JsonConfig(section, Description, $"{_prefix}{key}.", _problems);
            case JsonNode other:
                Wrong(key, other, "an object");
                return null;
        }
    }

    /// <summary>Records a problem of a field that its reader found, such as a value out of range.</summary>
    /// <param name="key">The field.</param>
    /// <param name="problem">What is wrong, what was expected, what to do.</param>
    public void Report(string key, string problem)
    {
        // a field may be read more than once
        if (!_problems.Contains((_prefix + key, problem)))
            _problems.Add((_prefix + key, problem));
    }

    /// <summary>Throws when any reader found a problem.</summary>
    /// <exception cref="InputException">With every problem.</exception>
    public void Check()
    {
        if (_problems.Count > 0)
            throw new InputException($"{Description}: {(_problems.Count == 1 ? "a field is" : "some fields are")} missing or wrong", Problems);
    }

    private T? Read<T>(string key, string expected, Func<JsonNode, T?> read)
        where T : struct
    {
        if (Root[key] is not { } node)
            return null;
        T? value = read(node);
        if (value is null)
            Wrong(key, node, expected);
        return value;
    }

    private T Missing<T>(string key, string expected, T value)
    {
        // a field of the wrong kind has been reported already
        if (Root[key] is null)
            Report(key, $"{(Root.ContainsKey(key) ? "is null" : "is missing")}, expected {expected}");
        return value;
    }

    private void Wrong(string key, JsonNode found, string expected) => Report(key, $"found {Kind(found)}, expected {expected}");

    private static long? WholeNumber(JsonNode node) =>
        NumberOf(node) is double number && number == Math.Floor(number) && Math.Abs(number) <= long.MaxValue / 2 ? (long)number : null;

    private static double? NumberOf(JsonNode node)
    {
        if (node.GetValueKind() != JsonValueKind.Number)
            return null;
        JsonValue value = node.AsValue();
        if (value.TryGetValue(out JsonElement element))
            return element.GetDouble();
        return value.TryGetValue(out double number) ? number : double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
    }

    private static string Kind(JsonNode node)
    {
        string text = PythonJson.Write(node, JsonStyle.Line);
        if (text.Length > 60)
            text = text[..60] + "…";
        return node.GetValueKind() switch
        {
            JsonValueKind.Object => $"an object {text}",
            JsonValueKind.Array => $"a list {text}",
            JsonValueKind.String => $"the string {text}",
            _ => text,
        };
    }
}
