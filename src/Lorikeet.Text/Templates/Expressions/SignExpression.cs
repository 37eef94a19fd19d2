namespace Lorikeet.Text;

/// <summary><c>-value</c> and <c>+value</c></summary>
internal sealed class SignExpression(int line, Expression operand, bool negative) : Expression(line, operand)
{
    public override object? Evaluate(RenderState state)
    {
        object? value = operand.Evaluate(state);
        state.Line = Line;
        if (value is Undefined undefined)
            throw undefined.Error();
        return negative ? PythonNumbers.Negate(value) : PythonNumbers.Plus(value);
    }
}
