using System.Text;

namespace Lorikeet.Text;

/// <summary>The filters on lists, dicts and anything that can be walked.</summary>
internal static class SequenceFilters
{
    public static readonly NativeFunction[] All =
    [
        new("attr", "obj name", Attribute),
        new("batch", "value linecount fill_with?", a => Lazy("do_batch", Batch(a))),
        new("count", "obj", Length),
        new("dictsort", "value case_sensitive? by? reverse?", DictSort),
        new("first", "seq", First),
        new("groupby", "value attribute default? case_sensitive?", GroupBy),
        new("items", "value", a => Lazy("do_items", Items(a))),
        new("join", "value d? attribute?", Join),
        new("last", "seq", Last),
        new("length", "obj", Length),
        new("list", "value", List),
        new("map", "value *args **kwargs", a => Lazy("sync_do_map", Map(a))),
        new("max", "value case_sensitive? attribute?", a => Extreme(a, wantGreater: true)),
        new("min", "value case_sensitive? attribute?", a => Extreme(a, wantGreater: false)),
        new("reject", "value *args **kwargs", a => Lazy("select_or_reject", Select(a, keep: false, byAttribute: false))),
        new("rejectattr", "value *args **kwargs", a => Lazy("select_or_reject", Select(a, keep: false, byAttribute: true))),
        new("reverse", "value", Reverse),
        new("select", "value *args **kwargs", a => Lazy("select_or_reject", Select(a, keep: true, byAttribute: false))),
        new("selectattr", "value *args **kwargs", a => Lazy("select_or_reject", Select(a, keep: true, byAttribute: true))),
        new("slice", "value slices fill_with?", a => Lazy("sync_do_slice", Slices(a))),
        new("sort", "value reverse? case_sensitive? attribute?", Sort),
        new("sum", "iterable attribute? start?", Sum),
        new("unique", "value case_sensitive? attribute?", a => Lazy("do_unique", Unique(a))),
    ];

    private static PythonGenerator Lazy(string name, IEnumerable<object?> source) => new(source, name);

    private static object Length(NativeArguments a) => Boxed.Int(PythonText.Length(a[0]));

    private static object? Attribute(NativeArguments a)
    {
        string name = a.Text(1);
        if (a[0] is Undefined undefined)
            throw undefined.Error();
        return Access.TryAttribute(a[0], name, out object? value) ? value : Undefined.Member(a[0], name);
    }

    private static PythonList List(NativeArguments a) => a[0] as PythonList ?? new PythonList(Iteration.ToArray(a.State, a[0]));

    private static object? First(NativeArguments a)
    {
        if (a[0] is PythonSequence { Count: > 0 } sequence)
            return sequence[0];
        IEnumerator<object?> items = Iteration.Over(a.State, a[0]);
        return items.MoveNext() ? items.Current : Undefined.Because("No first item, sequence was empty.");
    }

    private static object? Last(NativeArguments a)
    {
        if (a[0] is PythonGenerator or LoopContext)
            throw EvaluationException.Type($"'{PythonTypes.NameOf(a[0])}' object is not reversible");
        object?[] items = Iteration.ArrayOf(a.State, a[0]) ?? throw EvaluationException.Type($"'{PythonTypes.NameOf(a[0])}' object is not reversible");
        return items.Length > 0 ? items[^1] : Undefined.Because("No last item, sequence was empty.");
    }

    private static object? Reverse(NativeArguments a)
    {
        if (PythonText.IsText(a[0], out _))
            return Slicing.Slice(a.State, a[0], null, null, Boxed.Int(-1));
        if (!Iteration.IsIterable(a[0]))
            throw EvaluationException.Value("argument must be iterable");
        object?[] reversed = [.. Iteration.ToArray(a.State, a[0])];
        Array.Reverse(reversed);
        return a[0] is PythonGenerator ? new PythonList(reversed) : new PythonGenerator(reversed, "", PythonTypes.NameOf(a[0]) + "_reverseiterator");
    }

    private static object? Join(NativeArguments a)
    {
        string separator = PythonText.Str(a.Or(1, ""), a.State);
        AttributePath? path = a.IsSet(2) ? new AttributePath(a[2]) : null;
        object?[] items = Iteration.ToArray(a.State, a[0]);
        StringBuilder result = new();
        for (int i = 0; i < items.Length; i++)
        {
            if (i > 0)
                result.Append(separator);
            result.Append(PythonText.Str(path is null ? items[i] : path.Read(a.State, items[i]), a.State));
            a.State.Grow(result);
        }
        return result.ToString();
    }

    private static IEnumerable<object?> Items(NativeArguments a)
    {
        if (a[0] is Undefined)
            yield break;
        PythonDict dict = a[0] as PythonDict ?? throw EvaluationException.Type("Can only get item pairs from a mapping.");
        a.State.Charge(dict.Count);
        foreach (PythonTuple pair in dict.Pairs())
            yield return pair;
    }

    private static PythonList DictSort(NativeArguments a)
    {
        string by = a.Text(2, "key");
        if (by is not ("key" or "value"))
            throw EvaluationException.Value("You can only sort by either \"key\" or \"value\"");
        if (a[0] is Undefined undefined)
            throw undefined.Error();
        PythonDict dict = a[0] as PythonDict ?? throw new EvaluationException(
            TemplateErrorKind.Type, $"'{PythonTypes.NameOf(a[0])}' object has no attribute 'items'");
        object?[] keys = [.. (by == "key" ? dict.Keys : dict.Values).Select(key => Cased(key, a.Flag(1, false)))];
        return new PythonList([.. StableSort.Order(a.State, keys, a.Flag(3, false)).Select(i => new PythonTuple([dict.Keys[i], dict.Values[i]]))]);
    }

    private static PythonList Sort(NativeArguments a)
    {
        object?[] items = Iteration.ToArray(a.State, a[0]);
        bool caseSensitive = a.Flag(2, false);
        AttributePath[] paths = a.IsSet(3)
            ? a[3] is string list ? [.. list.Split(',').Select(path => new AttributePath(path))] : [new AttributePath(a[3])]
            : [new AttributePath(null)];
        object?[] keys = [.. items.Select(item => new PythonList([.. paths.Select(path => Cased(path.Read(a.State, item), caseSensitive))]))];
        return new PythonList([.. StableSort.Order(a.State, keys, a.Flag(1, false)).Select(i => items[i])]);
    }

    private static PythonList GroupBy(NativeArguments a)
    {
        object?[] items = Iteration.ToArray(a.State, a[0]);
        AttributePath path = new(a[1]);
        object? fallback = a.Or(2, null);
        bool caseSensitive = a.Flag(3, false);
        object?[] names = [.. items.Select(item => path.Read(a.State, item, fallback))];
        object?[] keys = [.. names.Select(name => Cased(name, caseSensitive))];
        int[] order = StableSort.Order(a.State, keys, reverse: false);
        List<object?> groups = [];
        for (int start = 0; start < order.Length;)
        {
            int end = start + 1;
            while (end < order.Length && PythonEquality.AreSame(keys[order[end]], keys[order[start]]))
                end++;
            PythonList members = new([.. order[start..end].Select(i => items[i])]);
            groups.Add(new PythonTuple([names[order[start]], members], ["grouper", "list"]));
            start = end;
        }
        return new PythonList([.. groups]);
    }

    private static IEnumerable<object?> Unique(NativeArguments a)
    {
        AttributePath path = new(a.Or(2, null));
        HashSet<object> seen = new(PythonEquality.Keys);
        IEnumerator<object?> items = Iteration.Over(a.State, a[0]);
        while (items.MoveNext())
        {
            object? key = Cased(path.Read(a.State, items.Current), a.Flag(1, false));
            a.State.Charge(PythonContainer.WeightOf(key));
            if (seen.Add(key ?? Missing.Value))
                yield return items.Current;
        }
    }

    private static object? Extreme(NativeArguments a, bool wantGreater)
    {
        bool caseSensitive = a.Flag(1, false);
        AttributePath path = new(a.Or(2, null));
        object? best = Missing.Value, bestKey = null;
        foreach (object? item in Iteration.ToArray(a.State, a[0]))
        {
            object? key = Cased(path.Read(a.State, item), caseSensitive);
            a.State.Charge(PythonContainer.WeightOf(key));
            bool better = ReferenceEquals(best, Missing.Value)
                || (wantGreater ? PythonOrder.Compare(key, bestKey, ">") > 0 : PythonOrder.Compare(key, bestKey) < 0);
            if (better)
                (best, bestKey) = (item, key);
        }
        return ReferenceEquals(best, Missing.Value) ? Undefined.Because("No aggregated item, sequence was empty.") : best;
    }

    private static object? Sum(NativeArguments a)
    {
        AttributePath path = new(a.Or(1, null));
        object? total = a.Or(2, Boxed.Int(0));
        if (PythonText.IsText(total, out _))
            throw EvaluationException.Type("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (object? item in Iteration.ToArray(a.State, a[0]))
            total = Operators.Apply(a.State, ArithmeticOperator.Add, total, path.Read(a.State, item));
        return total;
    }

    private static IEnumerable<object?> Batch(NativeArguments a)
    {
        int size = a.Int(1);
        List<object?> batch = [];
        IEnumerator<object?> items = Iteration.Over(a.State, a[0]);
        while (items.MoveNext())
        {
            a.State.Charge(1);
            if (batch.Count == size)
            {
                yield return new PythonList([.. batch]);
                batch.Clear();
            }
            batch.Add(items.Current);
        }
        if (batch.Count == 0)
            yield break;
        if (a.IsSet(2))
        {
            a.State.CheckItems(size);
            while (batch.Count < size)
                batch.Add(a[2]);
        }
        yield return new PythonList([.. batch]);
    }

    private static IEnumerable<object?> Slices(NativeArguments a)
    {
        object?[] items = Iteration.ToArray(a.State, a[0]);
        int slices = a.Int(1);
        if (slices == 0)
            throw EvaluationException.Value("integer division or modulo by zero");
        int offset = 0;
        for (int i = 0; i < slices; i++)
        {
            int start = offset;
            bool longer = i < items.Length % slices;
            offset += (items.Length / slices) + (longer ? 1 : 0);
            a.State.Charge(1 + offset - start);
            yield return new PythonList(a.IsSet(2) && !longer ? [.. items[start..offset], a[2]] : items[start..offset]);
        }
    }

    private static IEnumerable<object?> Map(NativeArguments a)
    {
        if (!PythonText.IsTrue(a[0]))
            yield break;
        object?[] positional = a.Rest(1);
        NamedArgument[] named = a.Options(2);
        Func<object?, object?> apply;
        if (positional.Length == 0 && Array.Exists(named, n => n.Name == "attribute"))
        {
            if (Array.Find(named, n => n.Name is not ("attribute" or "default")) is { Name: not null } unexpected)
                throw EvaluationException.Value($"Unexpected keyword argument {PythonText.Repr(unexpected.Name)}");
            AttributePath path = new(Array.Find(named, n => n.Name == "attribute").Value);
            object? fallback = Array.Find(named, n => n.Name == "default").Value;
            apply = item => path.Read(a.State, item, fallback);
        }
        else
        {
            if (positional.Length == 0)
                throw EvaluationException.Value("map requires a filter argument");
            NativeFunction filter = TemplateFilters.Find(positional[0]);
            apply = item => filter.Call(a.State, [item, .. positional[1..]], named);
        }
        IEnumerator<object?> items = Iteration.Over(a.State, a[0]);
        while (items.MoveNext())
            yield return apply(items.Current);
    }

    private static IEnumerable<object?> Select(NativeArguments a, bool keep, bool byAttribute)
    {
        if (!PythonText.IsTrue(a[0]))
            yield break;
        object?[] positional = a.Rest(1);
        if (byAttribute && positional.Length == 0)
            throw EvaluationException.Value("Missing parameter for attribute name");
        AttributePath path = new(byAttribute ? positional[0] : null);
        object?[] testing = byAttribute ? positional[1..] : positional;
        NativeFunction? test = testing.Length > 0 ? TemplateTests.Find(testing[0]) : null;
        IEnumerator<object?> items = Iteration.Over(a.State, a[0]);
        while (items.MoveNext())
        {
            a.State.Charge(1);
            object? value = path.Read(a.State, items.Current);
            if (PythonText.IsTrue(test is null ? value : test.Call(a.State, [value, .. testing[1..]], a.Options(2))) == keep)
                yield return items.Current;
        }
    }

    private static object? Cased(object? value, bool caseSensitive) => caseSensitive ? value : value switch
    {
        string text => StringCase.Lower(text),
        Markup markup => StringCase.Lower(markup.Text),
        _ => value,
    };
}
