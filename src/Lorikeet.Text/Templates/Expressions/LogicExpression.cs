namespace Lorikeet.Text;

/// <summary><c>a and b</c>, <c>a or b</c>: the value that decides, and the right side only where it must.</summary>
internal sealed class LogicExpression(int line, Expression left, Expression right, bool isAnd) : Expression(line, left, right)
{
    public override object? Evaluate(RenderState state)
    {
        object? value = left.Evaluate(state);
        return PythonText.IsTrue(value) == isAnd ? right.Evaluate(state) : value;
    }
}
