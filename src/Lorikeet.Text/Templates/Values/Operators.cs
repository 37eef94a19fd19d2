namespace Lorikeet.Text;

/// <summary>The binary operators on values of every kind.</summary>
internal static class Operators
{
    private static readonly string[] Symbols = ["+", "-", "*", "/", "//", "%", "** or pow()"];

    public static object? Apply(RenderState state, ArithmeticOperator op, object? a, object? b)
    {
        if (op == ArithmeticOperator.Add && a is string left && b is string right)
            return Concat(state, left, right);
        if (PythonNumbers.Apply(op, a, b) is { } number)
        {
            if (number is System.Numerics.BigInteger)
                state.Charge(64);
            return number;
        }
        if (a is Undefined undefined || (undefined = (b as Undefined)!) is not null)
        {
            if (op != ArithmeticOperator.Modulo || a is not (string or Markup))
                throw undefined.Error();
        }
        switch (op)
        {
            case ArithmeticOperator.Add:
                return Add(state, a, b);
            case ArithmeticOperator.Multiply when PythonNumbers.TryIndex(b, out long count) && IsSequence(a):
                return Repeat(state, a, count);
            case ArithmeticOperator.Multiply when PythonNumbers.TryIndex(a, out long count) && IsSequence(b):
                return Repeat(state, b, count);
            case ArithmeticOperator.Multiply when IsSequence(a) || IsSequence(b):
                throw EvaluationException.Type($"can't multiply sequence by non-int of type '{PythonTypes.NameOf(IsSequence(a) ? b : a)}'");
            case ArithmeticOperator.Modulo when a is string format:
                state.ChargeText(format.Length);
                return PercentFormat.Format(state, format, b);
            case ArithmeticOperator.Modulo when a is Markup markup:
                return new Markup(PercentFormat.Format(state, markup.Text, Safe(b)));
            default:
                throw Unsupported(op, a, b);
        }
    }

    private static object Add(RenderState state, object? a, object? b)
    {
        switch (a)
        {
            // The sum of markup and plain text is markup, and the plain part is made safe, whichever side it is on.
            case Markup or string when b is Markup or string:
                return new Markup(Concat(state, Markup.Escape(a, state), Markup.Escape(b, state)));
            case PythonList x when b is PythonList y:
                return new PythonList(Concat(state, x.Items, y.Items));
            case PythonTuple x when b is PythonTuple y:
                return new PythonTuple(Concat(state, x.Items, y.Items));
            case string or Markup or PythonList or PythonTuple:
                string type = a is Markup ? "str" : PythonTypes.NameOf(a);
                throw EvaluationException.Type($"can only concatenate {type} (not \"{PythonTypes.NameOf(b)}\") to {type}");
            default:
                throw Unsupported(ArithmeticOperator.Add, a, b);
        }
    }

    private static string Concat(RenderState state, string a, string b)
    {
        state.CheckText((long)a.Length + b.Length);
        return string.Concat(a, b);
    }

    private static object?[] Concat(RenderState state, object?[] a, object?[] b)
    {
        state.CheckItems((long)a.Length + b.Length);
        state.Charge(a.Length + b.Length);
        return [.. a, .. b];
    }

    private static bool IsSequence(object? value) => value is string or Markup or PythonSequence;

    private static object Repeat(RenderState state, object? value, long count)
    {
        count = Math.Clamp(count, 0, int.MaxValue);
        if (PythonText.IsText(value, out string text))
        {
            state.CheckText(text.Length * count);
            string repeated = StringOperations.Repeat(text, (int)count);
            return value is Markup ? new Markup(repeated) : repeated;
        }
        PythonSequence sequence = (PythonSequence)value!;
        state.CheckItems(sequence.Count * count);
        state.Charge(sequence.Count * count);
        object?[] items = new object?[sequence.Count * count];
        for (int i = 0; i < items.Length; i++)
            items[i] = sequence[i % sequence.Count];
        return sequence is PythonList ? new PythonList(items) : new PythonTuple(items);
    }

    private static object? Safe(object? value) => value switch
    {
        string text => Markup.Escape(text),
        PythonTuple tuple => new PythonTuple([.. tuple.Items.Select(Safe)]),
        PythonDict dict => new PythonDict(dict.Keys, [.. dict.Values.Select(Safe)]),
        _ => value,
    };

    private static EvaluationException Unsupported(ArithmeticOperator op, object? a, object? b) => EvaluationException.Type(
        $"unsupported operand type(s) for {Symbols[(int)op]}: '{PythonTypes.NameOf(a)}' and '{PythonTypes.NameOf(b)}'");
}
