namespace Lorikeet.Text;

/// <summary>Numbers the variables that a template expects from outside, so that a rendering looks each up once.</summary>
internal sealed class GlobalNames
{
    private readonly Dictionary<string, int> _numbers = [];
    private readonly List<string> _names = [];

    public string[] All => [.. _names];

    public int NumberOf(string name)
    {
        if (_numbers.TryGetValue(name, out int number))
            return number;
        _numbers[name] = _names.Count;
        _names.Add(name);
        return _names.Count - 1;
    }
}
