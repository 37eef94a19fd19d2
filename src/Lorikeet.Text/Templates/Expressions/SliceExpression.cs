namespace Lorikeet.Text;

/// <summary><c>value[start:stop:step]</c></summary>
internal sealed class SliceExpression(int line, Expression target, Expression? start, Expression? stop, Expression? step)
    : Expression(line, target, start, stop, step)
{
    public override object? Evaluate(RenderState state)
    {
        object? value = target.Evaluate(state);
        object? from = start?.Evaluate(state), to = stop?.Evaluate(state), by = step?.Evaluate(state);
        state.Line = Line;
        return Slicing.Slice(state, value, from, to, by);
    }
}
