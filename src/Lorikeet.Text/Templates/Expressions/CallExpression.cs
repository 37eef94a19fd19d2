namespace Lorikeet.Text;

/// <summary><c>callee(…)</c></summary>
internal sealed class CallExpression(int line, Expression callee, CallArguments arguments) : Expression(line, [callee, .. arguments.Expressions])
{
    public override object? Evaluate(RenderState state) => Call(state, null);

    /// <summary>Calls with the body of a call block as <c>caller</c>, if there is one.</summary>
    public object? Call(RenderState state, Macro? caller)
    {
        RenderState.EnsureStack();
        object? target;
        if (callee is AttributeExpression attribute)
        {
            if (attribute.Method(state, out target) is { } method)
            {
                object?[] given = arguments.Positional(state, Missing.Value);
                NamedArgument[] options = Named(state, caller);
                state.Line = Line;
                return method.Call(state, target, given, options);
            }
        }
        else
        {
            target = callee.Evaluate(state);
        }
        if (target is Undefined undefined)
        {
            state.Line = Line;
            throw undefined.Error();
        }
        object?[] positional = arguments.Positional(state, Missing.Value);
        NamedArgument[] named = Named(state, caller);
        state.Line = Line;
        if (target is not ICallable callable)
            throw EvaluationException.Type($"'{PythonTypes.NameOf(target)}' object is not callable");
        return callable.Call(state, positional, named);
    }

    private NamedArgument[] Named(RenderState state, Macro? caller)
    {
        NamedArgument[] named = arguments.Named(state);
        return caller is null ? named : [.. named, new NamedArgument("caller", caller)];
    }
}
