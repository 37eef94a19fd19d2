namespace Lorikeet.Text;

/// <summary><c>{key: value}</c></summary>
internal sealed class DictExpression(int line, (Expression Key, Expression Value)[] items)
    : Expression(line, [.. items.Select(i => i.Key), .. items.Select(i => i.Value)])
{
    public override object? Evaluate(RenderState state)
    {
        PythonDictBuilder dict = new(items.Length);
        foreach ((Expression key, Expression value) in items)
        {
            object? name = key.Evaluate(state);
            state.Charge(PythonContainer.WeightOf(name));
            dict.Set(name, value.Evaluate(state));
        }
        return dict.Build();
    }
}
