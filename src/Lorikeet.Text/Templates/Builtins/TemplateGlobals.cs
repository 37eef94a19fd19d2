using System.Collections.Frozen;

namespace Lorikeet.Text;

/// <summary>The functions that every chat template can call.</summary>
internal static class TemplateGlobals
{
    public static readonly FrozenDictionary<string, NativeFunction> All = new NativeFunction[]
    {
        new("cycler", "*items", Cycle),
        new("dict", "*args **kwargs", a => DictMethods.Create(a.State, a.Rest(0), a.Options(1))) { IsType = true },
        new("joiner", "sep?", a => new Joiner(a.Or(0, ", "))),
        new("namespace", "*args **kwargs", Namespace) { IsType = true },
        new("raise_exception", "message", a => throw new EvaluationException(TemplateErrorKind.Raised, PythonText.Str(a[0], a.State))),
        new("range", "start stop? step? /", Range) { IsType = true },
        new("strftime_now", "format", a => StrfTime.Format(a.State.FrozenNow ?? DateTime.Now, a.Text(0))),
    }.ToFrozenDictionary(f => f.Name);

    private static Cycler Cycle(NativeArguments a) => a.Rest(0) is { Length: > 0 } items
        ? new Cycler(items)
        : throw EvaluationException.Runtime("at least one item has to be provided");

    private static TemplateNamespace Namespace(NativeArguments a)
    {
        TemplateNamespace space = new();
        PythonDict values = DictMethods.Create(a.State, a.Rest(0), a.Options(1));
        for (int i = 0; i < values.Count; i++)
            space.Set(PythonText.Str(values.Keys[i], a.State), values.Values[i]);
        return space;
    }

    private static PythonRange Range(NativeArguments a)
    {
        long start = a.Has(1) ? Index(a, 0) : 0;
        long stop = Index(a, a.Has(1) ? 1 : 0);
        return PythonRange.Create(start, stop, a.Has(2) ? Index(a, 2) : 1);
    }

    private static long Index(NativeArguments a, int at)
    {
        if (a[at] is Undefined undefined)
            throw undefined.Error();
        return PythonNumbers.TryIndex(a[at], out long value)
            ? value
            : throw EvaluationException.Type($"'{PythonTypes.NameOf(a[at])}' object cannot be interpreted as an integer");
    }
}
