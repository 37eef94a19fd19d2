namespace Lorikeet.Text;

/// <summary>Python's idea of what can be walked, and how.</summary>
internal static class Iteration
{
    /// <summary>True for values that <c>for</c> accepts.</summary>
    public static bool IsIterable(object? value) => value is string or PythonContainer or Undefined or PythonGenerator
        or PythonDictView or PythonRange or Markup or LoopContext;

    /// <summary>The items at once where the value holds them already, else null; strings and ranges are spread out.</summary>
    public static object?[]? ArrayOf(RenderState state, object? value)
    {
        if (PythonText.IsText(value, out string characters))
        {
            state.CheckItems(characters.Length);
            state.Charge(characters.Length);
        }
        else if (value is PythonRange or PythonDictView)
        {
            state.Charge(PythonText.Length(value));
        }
        return value switch
        {
            PythonSequence sequence => sequence.Items,
            PythonDict dict => dict.Keys,
            PythonDictView view => view.Items(),
            string text => CodePoints.Split(text),
            Markup markup => [.. CodePoints.Split(markup.Text).Select(c => (object?)new Markup((string)c!))],
            PythonRange range => [.. Enumerable.Range(0, range.Count).Select(i => Boxed.Int(range[i]))],
            Undefined => [],
            _ => null,
        };
    }

    /// <summary>The items one by one; a generator goes on from where it stands.</summary>
    public static IEnumerator<object?> Over(RenderState state, object? value) => value switch
    {
        PythonGenerator generator => generator.Resume(),
        LoopContext loop => loop.Rest().GetEnumerator(),
        _ => ((IEnumerable<object?>)(ArrayOf(state, value) ?? throw NotIterable(value))).GetEnumerator(),
    };

    /// <summary>All items in a list, each paid for.</summary>
    public static object?[] ToArray(RenderState state, object? value)
    {
        if (ArrayOf(state, value) is { } array)
        {
            state.Charge(array.Length);
            return array;
        }
        List<object?> items = [];
        IEnumerator<object?> source = Over(state, value);
        while (source.MoveNext())
        {
            state.Charge(1);
            state.CheckItems(items.Count + 1);
            items.Add(source.Current);
        }
        return [.. items];
    }

    /// <summary>Exactly <paramref name="count"/> items, for <c>for key, value in …</c>.</summary>
    public static object?[] Unpack(RenderState state, object? value, int count)
    {
        if (!IsIterable(value))
            throw EvaluationException.Type($"cannot unpack non-iterable {PythonTypes.NameOf(value)} object");
        object?[] items = ToArray(state, value);
        if (items.Length < count)
            throw EvaluationException.Value($"not enough values to unpack (expected {count}, got {items.Length})");
        if (items.Length > count)
            throw EvaluationException.Value($"too many values to unpack (expected {count})");
        return items;
    }

    /// <summary>Python's <c>item in container</c>.</summary>
    public static bool Contains(RenderState state, object? container, object? item)
    {
        switch (container)
        {
            case string or Markup:
                PythonText.IsText(container, out string text);
                if (!PythonText.IsText(item, out string part))
                    throw EvaluationException.Type($"'in <string>' requires string as left operand, not {PythonTypes.NameOf(item)}");
                state.ChargeText(text.Length);
                return StringOperations.Find(text, part, 0) >= 0;
            case PythonDict dict:
                state.Charge(PythonContainer.WeightOf(item));
                return dict.TryGet(item, out _);
            case PythonDictView { Kind: "keys" } view:
                return view.Dict.TryGet(item, out _);
            case PythonRange range:
                return range.Contains(item);
            case PythonSequence sequence:
                state.Charge(Math.Min(sequence.Weight, sequence.Count * PythonContainer.WeightOf(item)));
                return Array.Exists(sequence.Items, other => PythonEquality.AreSame(other, item));
        }
        if (!IsIterable(container))
            throw EvaluationException.Type($"argument of type '{PythonTypes.NameOf(container)}' is not iterable");
        IEnumerator<object?> source = Over(state, container);
        while (source.MoveNext())
        {
            state.Charge(PythonContainer.WeightOf(source.Current));
            if (PythonEquality.AreSame(source.Current, item))
                return true;
        }
        return false;
    }

    public static EvaluationException NotIterable(object? value) =>
        EvaluationException.Type($"'{PythonTypes.NameOf(value)}' object is not iterable");
}
