namespace Lorikeet.Text;

/// <summary><c>{{ value }}</c></summary>
internal sealed class PrintStatement(int line, Expression value) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        value.Print(state);
        return Flow.Next;
    }

    public override void Collect(Scope scope) => value.Collect(scope);

    public override void Bind(Binder binder) => value.Bind(binder);
}
