namespace Lorikeet.Text;

/// <summary>The variable <c>loop</c> inside a <c>for</c>; calling it runs a recursive loop over inner items.</summary>
internal sealed class LoopContext(ItemCursor cursor, int depth, Func<object?, int, object?>? recurse) : ICallable
{
    private object? _lastChanged = Missing.Value;

    /// <summary>The number of this round, from 1.</summary>
    public int Index => cursor.Index + 1;

    public int Length => cursor.Length;

    public object? Call(RenderState state, object?[] positional, NamedArgument[] named)
    {
        if (recurse is null)
            throw EvaluationException.Type("The loop must have the 'recursive' marker to be called recursively.");
        if (positional.Length != 1 || named.Length > 0)
            throw EvaluationException.Type("loop() takes exactly one argument: the items to go over");
        return recurse(positional[0], depth + 1);
    }

    /// <summary>What iterating over <c>loop</c> itself gives: the items that are left.</summary>
    public IEnumerable<object?> Rest()
    {
        while (cursor.MoveNext())
            yield return new PythonTuple([cursor.Current, this]);
    }

    public bool TryAttribute(string name, out object? value)
    {
        switch (name)
        {
            case "index":
                value = Boxed.Int(Index);
                break;
            case "index0":
                value = Boxed.Int(cursor.Index);
                break;
            case "first":
                value = Boxed.Bool(cursor.Index == 0);
                break;
            case "last":
                value = Boxed.Bool(ReferenceEquals(cursor.Peek(), Missing.Value));
                break;
            case "length":
                value = Boxed.Int(Length);
                break;
            case "revindex":
                value = Boxed.Int(Length - cursor.Index);
                break;
            case "revindex0":
                value = Boxed.Int(Length - Index);
                break;
            case "depth":
                value = Boxed.Int(depth + 1);
                break;
            case "depth0":
                value = Boxed.Int(depth);
                break;
            case "previtem":
                value = cursor.Index > 0 ? cursor.Previous : Undefined.Because("there is no previous item");
                break;
            case "nextitem":
                value = cursor.Peek() is var next && ReferenceEquals(next, Missing.Value) ? Undefined.Because("there is no next item") : next;
                break;
            case "cycle":
                value = new NativeFunction("cycle", "*args", a => Cycle(a.Rest(0)));
                break;
            case "changed":
                value = new NativeFunction("changed", "*args", a => Changed(a.State, new PythonTuple(a.Rest(0))));
                break;
            default:
                value = null;
                return false;
        }
        return true;
    }

    private object? Cycle(object?[] items) => items.Length > 0
        ? items[cursor.Index % items.Length]
        : throw EvaluationException.Type("no items for cycling given");

    private object Changed(RenderState state, PythonTuple values)
    {
        state.Charge(values.Weight);
        bool same = _lastChanged is PythonTuple last && PythonEquality.AreEqual(last, values);
        _lastChanged = values;
        return Boxed.Bool(!same);
    }
}
