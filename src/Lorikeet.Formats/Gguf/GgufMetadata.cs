using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// The key-value pairs of a GGUF file in their order. Values are boxed numbers (of the width in the file), <c>bool</c>, <c>string</c>, or arrays of one of
/// these. The typed readers take any width; they return null where the key is absent, and throw where its value is of another kind.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "The format calls it metadata")]
public sealed class GgufMetadata : IReadOnlyDictionary<string, object>
{
    private readonly OrderedDictionary<string, object> _values = [];
    private readonly string _description;

    internal GgufMetadata(string description) => _description = description;

    /// <inheritdoc/>
    public object this[string key] => _values[key];

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _values.Keys;

    /// <inheritdoc/>
    public IEnumerable<object> Values => _values.Values;

    /// <inheritdoc/>
    public int Count => _values.Count;

    /// <summary>A string.</summary>
    /// <exception cref="InputException">The value is not a string.</exception>
    public string? Text(string key) => Read(key, "a string", value => value as string);

    /// <summary>A whole number.</summary>
    /// <exception cref="InputException">The value is not a whole number, or beyond 63 bits.</exception>
    public long? Integer(string key)
    {
        object? value = _values.GetValueOrDefault(key);
        return value is null ? null : Whole(value) ?? throw Wrong(key, value, "a whole number");
    }

    /// <summary>A number.</summary>
    /// <exception cref="InputException">The value is not a number.</exception>
    public double? Number(string key)
    {
        object? value = _values.GetValueOrDefault(key);
        return value switch
        {
            null => null,
            float single => single,
            double number => number,
            _ => Whole(value) ?? throw Wrong(key, value, "a number"),
        };
    }

    /// <summary>True or false.</summary>
    /// <exception cref="InputException">The value is of another kind.</exception>
    public bool? Flag(string key)
    {
        object? value = _values.GetValueOrDefault(key);
        return value is null ? null : value as bool? ?? throw Wrong(key, value, "true or false");
    }

    /// <summary>An array of strings.</summary>
    /// <exception cref="InputException">The value is of another kind.</exception>
    public string[]? Texts(string key) => Read(key, "an array of strings", value => value as string[]);

    /// <summary>An array of whole numbers of any width.</summary>
    /// <exception cref="InputException">The value is of another kind.</exception>
    public long[]? Integers(string key) => Read<long[]>(key, "an array of whole numbers", value =>
        value is Array array and not (object[] or float[] or double[] or bool[])
            ? [.. array.Cast<object>().Select(item => Whole(item) ?? throw Wrong(key, item, "a whole number"))]
            : null);

    /// <summary>An array of floats.</summary>
    /// <exception cref="InputException">The value is of another kind.</exception>
    public float[]? Numbers(string key) => Read(key, "an array of numbers", value => value switch
    {
        float[] singles => singles,
        double[] doubles => [.. doubles.Select(number => (float)number)],
        _ => null,
    });

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _values.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object value) => _values.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal bool TryAdd(string key, object value) => _values.TryAdd(key, value);

    private T? Read<T>(string key, string expected, Func<object, T?> read)
        where T : class
    {
        object? value = _values.GetValueOrDefault(key);
        return value is null ? null : read(value) ?? throw Wrong(key, value, expected);
    }

    private static long? Whole(object value) => value switch
    {
        byte or sbyte or short or ushort or int or uint or long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        ulong wide when wide <= long.MaxValue => (long)wide,
        _ => null,
    };

    private InputException Wrong(string key, object value, string expected)
    {
        string found = value switch
        {
            string text => $"the string \"{(text.Length > 40 ? text[..40] + "…" : text)}\"",
            Array array => $"an array of {array.Length} {array.GetType().GetElementType()!.Name}",
            _ => string.Create(CultureInfo.InvariantCulture, $"{value} ({value.GetType().Name})"),
        };
        return new InputException($"{_description}: metadata {key}: found {found}, expected {expected}");
    }
}
