using System.Collections.Frozen;

namespace Lorikeet.Text;

/// <summary>The methods of dict that change nothing. Those that would are refused by the sandbox.</summary>
internal static class DictMethods
{
    public static readonly FrozenSet<string> Refused = new[] { "clear", "pop", "popitem", "setdefault", "update" }.ToFrozenSet();

    public static readonly FrozenDictionary<string, NativeFunction> All = new NativeFunction[]
    {
        new("copy", "/", a => a.Self),
        new("fromkeys", "iterable value? /", FromKeys),
        new("get", "key default? /", a => ((PythonDict)a.Self!).TryGet(a[0], out object? value) ? value : a.Or(1, null)),
        new("items", "/", a => new PythonDictView((PythonDict)a.Self!, "items")),
        new("keys", "/", a => new PythonDictView((PythonDict)a.Self!, "keys")),
        new("values", "/", a => new PythonDictView((PythonDict)a.Self!, "values")),
    }.ToFrozenDictionary(f => f.Name);

    /// <summary><c>dict(mapping_or_pairs, name=value, …)</c></summary>
    public static PythonDict Create(RenderState state, object?[] positional, NamedArgument[] named)
    {
        PythonDictBuilder dict = new();
        if (positional.Length > 1)
            throw EvaluationException.Type($"dict expected at most 1 argument, got {positional.Length}");
        if (positional is [PythonDict given])
        {
            state.Charge(given.Count);
            dict.SetAll(given);
        }
        else if (positional.Length == 1)
        {
            foreach (object? pair in Iteration.ToArray(state, positional[0]))
            {
                object?[] items = Iteration.Unpack(state, pair, 2);
                dict.Set(items[0], items[1]);
            }
        }
        foreach (NamedArgument argument in named)
            dict.Set(argument.Name, argument.Value);
        return dict.Build();
    }

    private static PythonDict FromKeys(NativeArguments a)
    {
        PythonDictBuilder dict = new();
        foreach (object? key in Iteration.ToArray(a.State, a[0]))
            dict.Set(key, a.Or(1, null));
        return dict.Build();
    }
}
