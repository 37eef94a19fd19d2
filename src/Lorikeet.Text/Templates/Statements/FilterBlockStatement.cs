namespace Lorikeet.Text;

/// <summary><c>{% filter upper %} … {% endfilter %}</c></summary>
internal sealed class FilterBlockStatement(int line, Expression filtered, Statement[] body) : Statement(line)
{
    private ScopeEntry _entry = null!;

    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        OutputBuffer outer = state.BeginCapture();
        _entry.Enter(state);
        Flow flow = Run(body, state);
        string text = state.EndCapture(outer);
        if (flow != Flow.Next)
            return flow;
        state.Captured = text;
        state.Print(filtered.Evaluate(state));
        return Flow.Next;
    }

    public override void Collect(Scope scope) => filtered.Collect(scope);

    public override void Bind(Binder binder)
    {
        Scope inner = new(binder.Scope, binder.Scope.Function);
        Collect(body, inner);
        filtered.Collect(inner);
        _entry = inner.Seal();
        binder.Within(inner, () =>
        {
            Bind(body, binder);
            filtered.Bind(binder);
        });
    }
}
