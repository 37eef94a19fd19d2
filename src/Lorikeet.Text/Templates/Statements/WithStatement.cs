namespace Lorikeet.Text;

/// <summary><c>{% with name = value %} … {% endwith %}</c>, and <c>{% block name %}</c>, which without inheritance is a scope and no more.</summary>
internal sealed class WithStatement(int line, (AssignmentTarget Target, Expression Value)[] variables, Statement[] body) : Statement(line)
{
    private ScopeEntry _entry = null!;

    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        object?[] values = new object?[variables.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = variables[i].Value.Evaluate(state);
        _entry.Enter(state);
        for (int i = 0; i < values.Length; i++)
            variables[i].Target.Assign(state, values[i]);
        return Run(body, state);
    }

    public override void Collect(Scope scope)
    {
        foreach ((_, Expression value) in variables)
            value.Collect(scope);
    }

    public override void Bind(Binder binder)
    {
        foreach ((_, Expression value) in variables)
            value.Bind(binder);
        Scope inner = new(binder.Scope, binder.Scope.Function);
        foreach ((AssignmentTarget target, _) in variables)
            target.Collect(inner, asParameter: true);
        Collect(body, inner);
        _entry = inner.Seal();
        binder.Within(inner, () =>
        {
            foreach ((AssignmentTarget target, _) in variables)
                target.Bind(binder);
            Bind(body, binder);
        });
    }
}
