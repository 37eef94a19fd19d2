namespace Lorikeet.Text;

/// <summary>A tag that asks for another template: chat templates come alone. It is an error where it is reached, not where it stands.</summary>
internal sealed class RefusedStatement(int line, string tag) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        state.Line = Line;
        throw EvaluationException.Runtime($"a chat template stands alone: '{tag}' has no other template to go to");
    }

    public override void Collect(Scope scope) { }

    public override void Bind(Binder binder) { }
}
