namespace Lorikeet.Text;

/// <summary><c>{% autoescape false %}</c>; escaping itself is not for chat templates, so asking for it is an error.</summary>
internal sealed class AutoescapeStatement(int line, Expression enabled, Statement[] body) : Statement(line)
{
    private ScopeEntry _entry = null!;

    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        if (PythonText.IsTrue(enabled.Evaluate(state)))
            throw EvaluationException.Runtime("chat templates are not escaped for HTML: autoescape cannot be turned on");
        _entry.Enter(state);
        return Run(body, state);
    }

    public override void Collect(Scope scope) => enabled.Collect(scope);

    public override void Bind(Binder binder)
    {
        enabled.Bind(binder);
        Scope inner = new(binder.Scope, binder.Scope.Function);
        Collect(body, inner);
        _entry = inner.Seal();
        binder.Within(inner, () => Bind(body, binder));
    }
}
