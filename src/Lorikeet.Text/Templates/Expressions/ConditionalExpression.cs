using System.Globalization;

namespace Lorikeet.Text;

/// <summary><c>a if condition else b</c></summary>
internal sealed class ConditionalExpression(int line, Expression condition, Expression then, Expression? otherwise)
    : Expression(line, condition, then, otherwise)
{
    private readonly Undefined _nothing = Undefined.Because(string.Create(
        CultureInfo.InvariantCulture, $"the inline if-expression on line {line} evaluated to false and no else section was defined."));

    public override object? Evaluate(RenderState state) => PythonText.IsTrue(condition.Evaluate(state)) ? then.Evaluate(state)
        : otherwise is null ? _nothing
        : otherwise.Evaluate(state);

    public override void Bind(Binder binder) => binder.WithinCondition(() => base.Bind(binder));
}
