namespace Lorikeet.Text;

/// <summary><c>[a, b]</c> and <c>(a, b)</c></summary>
internal sealed class SequenceExpression(int line, Expression[] items, bool isTuple) : Expression(line, items)
{
    public override object? Evaluate(RenderState state)
    {
        object?[] values = new object?[items.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = items[i].Evaluate(state);
        return isTuple ? new PythonTuple(values) : new PythonList(values);
    }
}
