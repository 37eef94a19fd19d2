namespace Lorikeet.Text;

/// <summary><c>a + b</c> and the other operators of arithmetic.</summary>
internal sealed class ArithmeticExpression(int line, ArithmeticOperator op, Expression left, Expression right) : Expression(line, left, right)
{
    public override object? Evaluate(RenderState state)
    {
        object? a = left.Evaluate(state);
        object? b = right.Evaluate(state);
        state.Line = Line;
        return Operators.Apply(state, op, a, b);
    }
}
