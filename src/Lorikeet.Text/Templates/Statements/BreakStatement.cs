namespace Lorikeet.Text;

/// <summary><c>{% break %}</c> and <c>{% continue %}</c></summary>
internal sealed class BreakStatement(int line, bool isContinue) : Statement(line)
{
    public override Flow Execute(RenderState state) => isContinue ? Flow.Continue : Flow.Break;

    public override void Collect(Scope scope) { }

    public override void Bind(Binder binder) { }
}
