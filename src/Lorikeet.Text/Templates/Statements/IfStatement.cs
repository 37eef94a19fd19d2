namespace Lorikeet.Text;

/// <summary><c>{% if %} … {% elif %} … {% else %} … {% endif %}</c></summary>
internal sealed class IfStatement(int line, (Expression Condition, Statement[] Body)[] branches, Statement[] otherwise) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        foreach ((Expression condition, Statement[] body) in branches)
        {
            state.Line = condition.Line;
            if (PythonText.IsTrue(condition.Evaluate(state)))
                return Run(body, state);
        }
        return Run(otherwise, state);
    }

    public override void Collect(Scope scope)
    {
        branches[0].Condition.Collect(scope);
        scope.Branch(
            () => Collect(branches[0].Body, scope),
            () =>
            {
                for (int i = 1; i < branches.Length; i++)
                {
                    int at = i;
                    branches[at].Condition.Collect(scope);
                    scope.Branch(() => Collect(branches[at].Body, scope), () => { });
                }
            },
            () => Collect(otherwise, scope));
    }

    public override void Bind(Binder binder) => binder.WithinCondition(() =>
    {
        foreach ((Expression condition, Statement[] body) in branches)
        {
            condition.Bind(binder);
            Bind(body, binder);
        }
        Bind(otherwise, binder);
    });
}
