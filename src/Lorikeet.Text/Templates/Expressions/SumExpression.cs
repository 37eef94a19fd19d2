namespace Lorikeet.Text;

/// <summary>
/// <c>a + b + c</c>, from left to right. Templates build most of their text this way, so strings are joined once at the end, or written
/// one after another without being joined at all.
/// </summary>
internal sealed class SumExpression((Expression Operand, int Line)[] operands) : Expression(operands[0].Line, [.. operands.Select(o => o.Operand)])
{
    public override object? Evaluate(RenderState state)
    {
        string[] parts = new string[operands.Length];
        return AllStrings(state, parts, out object? sum) ? string.Concat(parts) : sum;
    }

    public override void Print(RenderState state)
    {
        string[] parts = new string[operands.Length];
        if (!AllStrings(state, parts, out object? sum))
        {
            state.Print(sum);
            return;
        }
        foreach (string part in parts)
            state.Print(part);
    }

    // Where an operand is no string, the sum of what came before it goes on by the rules for all values.
    private bool AllStrings(RenderState state, string[] parts, out object? sum)
    {
        long length = 0;
        for (int i = 0; i < operands.Length; i++)
        {
            object? value = operands[i].Operand.Evaluate(state);
            if (value is string text)
            {
                parts[i] = text;
                length += text.Length;
                continue;
            }
            sum = i == 0 ? value : Add(state, i, string.Concat(parts.AsSpan(0, i)), value);
            for (i++; i < operands.Length; i++)
                sum = Add(state, i, sum, operands[i].Operand.Evaluate(state));
            return false;
        }
        state.Line = Line;
        state.CheckText(length);
        sum = null;
        return true;
    }

    private object? Add(RenderState state, int at, object? left, object? right)
    {
        state.Line = operands[at].Line;
        return Operators.Apply(state, ArithmeticOperator.Add, left, right);
    }
}
