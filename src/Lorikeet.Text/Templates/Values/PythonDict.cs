namespace Lorikeet.Text;

/// <summary>Python's dict in insertion order. Small ones, such as messages, are searched by walking their keys.</summary>
internal sealed class PythonDict : PythonContainer
{
    private const int Walkable = 8;

    public static readonly PythonDict Empty = new([], []);

    private readonly Dictionary<object, int>? _index;

    /// <summary>Takes arrays of equal length; the keys must be distinct and hashable (<see cref="PythonDictBuilder"/> sees to that).</summary>
    public PythonDict(object?[] keys, object?[] values)
    {
        Keys = keys;
        Values = values;
        Measure(keys);
        Measure(values);
        if (keys.Length <= Walkable)
            return;
        _index = new Dictionary<object, int>(keys.Length, PythonEquality.Keys);
        for (int i = 0; i < keys.Length; i++)
            _index[keys[i] ?? Missing.Value] = i;
    }

    public object?[] Keys { get; }

    public object?[] Values { get; }

    public int Count => Keys.Length;

    public bool TryGet(string key, out object? value)
    {
        int at = IndexOf(key);
        value = at < 0 ? null : Values[at];
        return at >= 0;
    }

    public bool TryGet(object? key, out object? value)
    {
        int at = key is string text ? IndexOf(text) : IndexOf(key);
        value = at < 0 ? null : Values[at];
        return at >= 0;
    }

    public PythonTuple[] Pairs()
    {
        PythonTuple[] pairs = new PythonTuple[Count];
        for (int i = 0; i < pairs.Length; i++)
            pairs[i] = new PythonTuple([Keys[i], Values[i]]);
        return pairs;
    }

    private int IndexOf(object? key)
    {
        PythonEquality.Hash(key); // an unhashable key is an error even where nothing could be found
        if (_index is not null)
            return _index.TryGetValue(key ?? Missing.Value, out int at) ? at : -1;
        for (int i = 0; i < Keys.Length; i++)
        {
            if (PythonEquality.AreSame(Keys[i], key))
                return i;
        }
        return -1;
    }

    private int IndexOf(string key)
    {
        if (_index is not null)
            return _index.TryGetValue(key, out int at) ? at : -1;
        object?[] keys = Keys;
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] is string text ? string.Equals(text, key) : keys[i] is Markup markup && markup.Text == key)
                return i;
        }
        return -1;
    }
}
