namespace Lorikeet.Text;

/// <summary><c>value|name(…)</c></summary>
internal sealed class FilterExpression(int line, Expression target, string name, CallArguments arguments)
    : Expression(line, [target, .. arguments.Expressions])
{
    private NativeFunction? _filter;

    public override object? Evaluate(RenderState state)
    {
        object? value = target.Evaluate(state);
        object?[] positional = arguments.Positional(state, value);
        NamedArgument[] named = arguments.Named(state);
        state.Line = Line;
        if (_filter is null)
            throw EvaluationException.Runtime($"No filter named '{name}' found.");
        return _filter.Call(state, positional, named);
    }

    public override void Bind(Binder binder)
    {
        base.Bind(binder);
        if (!TemplateFilters.All.TryGetValue(name, out _filter) && !binder.Conditional)
            throw binder.Error($"No filter named '{name}'.", Line);
    }
}
