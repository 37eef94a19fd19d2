namespace Lorikeet.Text;

/// <summary><c>a &lt; b == c in d</c>: every neighbouring pair must hold, and each operand is evaluated once at most.</summary>
internal sealed class CompareExpression(int line, Expression first, (string Symbol, Expression Operand)[] rest)
    : Expression(line, [first, .. rest.Select(r => r.Operand)])
{
    public override object? Evaluate(RenderState state)
    {
        object? left = first.Evaluate(state);
        foreach ((string symbol, Expression operand) in rest)
        {
            object? right = operand.Evaluate(state);
            if (!Holds(state, symbol, left, right))
                return Boxed.False;
            left = right;
        }
        return Boxed.True;
    }

    private bool Holds(RenderState state, string symbol, object? a, object? b)
    {
        state.Line = Line;
        switch (symbol)
        {
            case "==":
                return Equal(state, a, b);
            case "!=":
                return !Equal(state, a, b);
            case "in":
                return Iteration.Contains(state, b, a);
            case "not in":
                return !Iteration.Contains(state, b, a);
        }
        state.Charge(Math.Min(PythonContainer.WeightOf(a), PythonContainer.WeightOf(b)));
        if (PythonOrder.Compare(a, b, symbol) is not int order)
            return false;
        return symbol switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    private static bool Equal(RenderState state, object? a, object? b)
    {
        if (a is string x && b is string y && x.Length != y.Length)
            return false;
        state.Charge(Math.Min(PythonContainer.WeightOf(a), PythonContainer.WeightOf(b)));
        return PythonEquality.AreEqual(a, b);
    }
}
