using System.Collections.Frozen;

namespace Lorikeet.Text;

/// <summary>The methods of list and tuple that change nothing. Those that would are refused by the sandbox.</summary>
internal static class SequenceMethods
{
    public static readonly FrozenSet<string> Refused =
        new[] { "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort" }.ToFrozenSet();

    public static readonly FrozenDictionary<string, NativeFunction> OfTuple = new NativeFunction[]
    {
        new("count", "value /", Count),
        new("index", "value start? stop? /", Index),
    }.ToFrozenDictionary(f => f.Name);

    public static readonly FrozenDictionary<string, NativeFunction> OfList =
        OfTuple.Values.Append(new NativeFunction("copy", "/", a => a.Self)).ToFrozenDictionary(f => f.Name);

    private static object Count(NativeArguments a)
    {
        PythonSequence sequence = (PythonSequence)a.Self!;
        a.State.Charge(sequence.Weight);
        object? wanted = a[0];
        return Boxed.Int(sequence.Items.Count(item => PythonEquality.AreSame(item, wanted)));
    }

    private static object Index(NativeArguments a)
    {
        PythonSequence sequence = (PythonSequence)a.Self!;
        a.State.Charge(sequence.Weight);
        (int first, int count, _) = Slicing.Resolve(sequence.Count, a.Or(1, null), a.Or(2, null), null);
        for (int i = first; i < first + count; i++)
        {
            if (PythonEquality.AreSame(sequence[i], a[0]))
                return Boxed.Int(i);
        }
        throw EvaluationException.Value($"{PythonText.Repr(a[0], a.State)} is not in {PythonTypes.NameOf(sequence)}");
    }
}
