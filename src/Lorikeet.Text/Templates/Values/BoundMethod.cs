namespace Lorikeet.Text;

/// <summary>A method of a value, taken without calling it: <c>message.items</c>.</summary>
internal sealed class BoundMethod(object? self, NativeFunction function) : ICallable
{
    public object? Self { get; } = self;

    public NativeFunction Function { get; } = function;

    public object? Call(RenderState state, object?[] positional, NamedArgument[] named) => Function.Call(state, Self, positional, named);
}
