namespace Lorikeet.Text;

/// <summary>The text inside a <c>{% filter %}</c> or <c>{% set %}</c> block, where the filters start from.</summary>
internal sealed class CapturedExpression(int line) : Expression(line)
{
    public override object? Evaluate(RenderState state) => state.Captured;
}
