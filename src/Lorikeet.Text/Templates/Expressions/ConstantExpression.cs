namespace Lorikeet.Text;

/// <summary>A literal.</summary>
internal sealed class ConstantExpression(int line, object? value) : Expression(line)
{
    public object? Value => value;

    public override object? Evaluate(RenderState state) => value;
}
