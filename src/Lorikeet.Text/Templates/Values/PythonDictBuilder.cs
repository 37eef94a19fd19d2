namespace Lorikeet.Text;

/// <summary>Collects the items of a dict: a repeated key keeps its place and takes the last value.</summary>
internal sealed class PythonDictBuilder(int capacity = 4)
{
    private readonly List<object?> _keys = new(capacity);
    private readonly List<object?> _values = new(capacity);
    private Dictionary<object, int>? _index;

    public int Count => _keys.Count;

    public void Set(object? key, object? value)
    {
        int at = Find(key);
        if (at >= 0)
        {
            _values[at] = value;
            return;
        }
        _index?.Add(key ?? Missing.Value, _keys.Count);
        _keys.Add(key);
        _values.Add(value);
    }

    public void SetAll(PythonDict dict)
    {
        for (int i = 0; i < dict.Count; i++)
            Set(dict.Keys[i], dict.Values[i]);
    }

    public bool Contains(object? key) => Find(key) >= 0;

    public PythonDict Build() => _keys.Count == 0 ? PythonDict.Empty : new PythonDict([.. _keys], [.. _values]);

    private int Find(object? key)
    {
        PythonEquality.Hash(key);
        if (_index is null && _keys.Count > 8)
        {
            _index = new Dictionary<object, int>(PythonEquality.Keys);
            for (int i = 0; i < _keys.Count; i++)
                _index[_keys[i] ?? Missing.Value] = i;
        }
        if (_index is not null)
            return _index.TryGetValue(key ?? Missing.Value, out int at) ? at : -1;
        for (int i = 0; i < _keys.Count; i++)
        {
            if (PythonEquality.AreSame(_keys[i], key))
                return i;
        }
        return -1;
    }
}
