namespace Lorikeet.Text;

/// <summary>The one value whose attributes a template may set: <c>namespace(found=false)</c>.</summary>
internal sealed class TemplateNamespace
{
    private readonly List<string> _names = [];
    private readonly List<object?> _values = [];

    public int Count => _names.Count;

    public (string Name, object? Value) this[int index] => (_names[index], _values[index]);

    public bool TryGet(string name, out object? value)
    {
        int at = _names.IndexOf(name);
        value = at < 0 ? null : _values[at];
        return at >= 0;
    }

    public void Set(string name, object? value)
    {
        int at = _names.IndexOf(name);
        if (at >= 0)
        {
            _values[at] = value;
            return;
        }
        if (_names.Count >= 1000)
            throw EvaluationException.Limit("a namespace has more than 1000 attributes");
        _names.Add(name);
        _values.Add(value);
    }
}
