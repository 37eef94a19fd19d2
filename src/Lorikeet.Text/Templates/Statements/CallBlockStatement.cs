namespace Lorikeet.Text;

/// <summary><c>{% call(item) macro() %} … {% endcall %}</c>: a call with a block of template as its <c>caller</c>.</summary>
internal sealed class CallBlockStatement(int line, CallExpression call, MacroBody body) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        state.Print(call.Call(state, new Macro(body, state.Frame)));
        return Flow.Next;
    }

    public override void Collect(Scope scope) => call.Collect(scope);

    public override void Bind(Binder binder)
    {
        call.Bind(binder);
        body.Bind(binder);
    }
}
