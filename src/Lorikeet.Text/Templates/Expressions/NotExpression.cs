namespace Lorikeet.Text;

/// <summary><c>not value</c></summary>
internal sealed class NotExpression(int line, Expression operand) : Expression(line, operand)
{
    public override object? Evaluate(RenderState state) => Boxed.Bool(!PythonText.IsTrue(operand.Evaluate(state)));
}
