namespace Lorikeet.Text;

/// <summary><c>value is name(…)</c></summary>
internal sealed class TestExpression(int line, Expression target, string name, CallArguments arguments)
    : Expression(line, [target, .. arguments.Expressions])
{
    private readonly bool _bare = arguments.IsEmpty;
    private NativeFunction? _test;

    public override object? Evaluate(RenderState state)
    {
        object? value = target.Evaluate(state);
        if (_bare)
        {
            // The tests that templates use most, without the detour.
            switch (name)
            {
                case "defined":
                    return Boxed.Bool(value is not Undefined);
                case "string":
                    return Boxed.Bool(value is string or Markup);
                case "none":
                    return Boxed.Bool(value is null);
                case "mapping":
                    return Boxed.Bool(value is PythonDict);
            }
        }
        object?[] positional = arguments.Positional(state, value);
        NamedArgument[] named = arguments.Named(state);
        state.Line = Line;
        if (_test is null)
            throw EvaluationException.Runtime($"No test named '{name}' found.");
        return _test.Call(state, positional, named);
    }

    public override void Bind(Binder binder)
    {
        base.Bind(binder);
        if (!TemplateTests.All.TryGetValue(name, out _test) && !binder.Conditional)
            throw binder.Error($"No test named '{name}'.", Line);
    }
}
