namespace Lorikeet.Text;

/// <summary><c>value[key]</c></summary>
internal sealed class ItemExpression(int line, Expression target, Expression key) : Expression(line, target, key)
{
    public override object? Evaluate(RenderState state)
    {
        object? owner = target.Evaluate(state);
        object? index = key.Evaluate(state);
        state.Line = Line;
        return Access.Item(state, owner, index);
    }
}
