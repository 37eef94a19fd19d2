namespace Lorikeet.Text;

/// <summary><c>{% set name | filter %} … {% endset %}</c></summary>
internal sealed class SetBlockStatement(int line, AssignmentTarget target, Expression filtered, Statement[] body) : Statement(line)
{
    private ScopeEntry _entry = null!;

    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        target.Check(state);
        OutputBuffer outer = state.BeginCapture();
        _entry.Enter(state);
        Flow flow = Run(body, state);
        string text = state.EndCapture(outer);
        if (flow != Flow.Next)
            return flow;
        state.Captured = text;
        target.Assign(state, filtered.Evaluate(state));
        return Flow.Next;
    }

    public override void Collect(Scope scope) => target.Collect(scope, asParameter: false);

    public override void Bind(Binder binder)
    {
        target.Bind(binder);
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
