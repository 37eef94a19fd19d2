namespace Lorikeet.Text;

/// <summary><c>joiner(', ')</c>: nothing at the first call, the separator at every later one.</summary>
internal sealed class Joiner(object? separator) : ICallable
{
    private bool _used;

    public object? Call(RenderState state, object?[] positional, NamedArgument[] named)
    {
        object? result = _used ? separator : "";
        _used = true;
        return result;
    }
}
