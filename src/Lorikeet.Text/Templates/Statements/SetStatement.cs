namespace Lorikeet.Text;

/// <summary><c>{% set name = value %}</c></summary>
internal sealed class SetStatement(int line, AssignmentTarget target, Expression value) : Statement(line)
{
    public AssignmentTarget Target => target;

    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        target.Check(state);
        target.Assign(state, value.Evaluate(state));
        return Flow.Next;
    }

    public override void Collect(Scope scope)
    {
        value.Collect(scope);
        target.Collect(scope, asParameter: false);
    }

    public override void Bind(Binder binder)
    {
        value.Bind(binder);
        target.Bind(binder);
    }
}
