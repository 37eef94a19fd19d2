namespace Lorikeet.Text;

/// <summary><c>cycler('odd', 'even')</c>: hands out its items in turn.</summary>
internal sealed class Cycler(object?[] items)
{
    private int _position;

    public object? Current => items[_position];

    public object? Next()
    {
        object? current = Current;
        _position = (_position + 1) % items.Length;
        return current;
    }

    public void Reset() => _position = 0;
}
