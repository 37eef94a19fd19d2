using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Text;

/// <summary>
/// A value handed to a chat template: JSON, a string, a number, a truth value or (as the default) Python's None. It is read when it is made and does
/// not look back at the JSON, so one value can serve many renderings and threads.
/// </summary>
public readonly struct TemplateValue
{
    internal TemplateValue(object? value) => Value = value;

    /// <summary>True of JSON null and of a value that was never given.</summary>
    public bool IsNone => Value is null;

    internal object? Value { get; }

    /// <summary>Reads JSON; objects keep the order of their keys.</summary>
    /// <exception cref="ArgumentException">The JSON is nested too deep, or holds a number of thousands of digits.</exception>
    public static implicit operator TemplateValue(JsonElement json) => new(JsonValues.From(json));

    /// <summary>Reads JSON; objects keep the order of their keys.</summary>
    /// <exception cref="ArgumentException">The JSON is nested too deep, or holds a number of thousands of digits.</exception>
    public static implicit operator TemplateValue(JsonNode? json) => new(JsonValues.From(json));

    /// <summary>A string, or None.</summary>
    public static implicit operator TemplateValue(string? text) => new(text);

    /// <summary>True or False.</summary>
    public static implicit operator TemplateValue(bool value) => new(Boxed.Bool(value));

    /// <summary>An int.</summary>
    public static implicit operator TemplateValue(long value) => new(Boxed.Int(value));

    /// <summary>A float.</summary>
    public static implicit operator TemplateValue(double value) => new(value);

    /// <summary>Reads JSON text.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static TemplateValue Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement;
    }

    /// <summary>The value as Python prints it.</summary>
    public override string ToString() => PythonText.Str(Value);
}
