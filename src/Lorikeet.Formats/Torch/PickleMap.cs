namespace Lorikeet.Formats;

/// <summary>A Python dict in its order. Keys that cannot be compared by value (tuples) are compared by identity.</summary>
internal sealed class PickleMap
{
    private static readonly object NoneKey = new();

    private readonly OrderedDictionary<object, object?> _items = [];

    /// <summary>Keys and values; a key None is null.</summary>
    public IEnumerable<KeyValuePair<object?, object?>> Items =>
        _items.Select(item => new KeyValuePair<object?, object?>(ReferenceEquals(item.Key, NoneKey) ? null : item.Key, item.Value));

    /// <summary>Sets a key; one that is there keeps its place.</summary>
    public void Set(object? key, object? value) => _items[key ?? NoneKey] = value;

    /// <summary>The value of a string key; null where it is absent.</summary>
    public object? Get(string key) => _items.GetValueOrDefault(key);
}
