namespace Lorikeet.Text;

/// <summary>A value that a template can call.</summary>
internal interface ICallable
{
    object? Call(RenderState state, object?[] positional, NamedArgument[] named);
}
