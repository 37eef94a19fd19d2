namespace Lorikeet.Text;

/// <summary>Text between tags.</summary>
internal sealed class TextStatement(int line, string text) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        state.Write(text);
        return Flow.Next;
    }

    public override void Collect(Scope scope) { }

    public override void Bind(Binder binder) { }
}
