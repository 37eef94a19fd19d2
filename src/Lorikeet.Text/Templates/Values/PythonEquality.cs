using System.Numerics;

namespace Lorikeet.Text;

/// <summary>Python's <c>==</c> and hash: 1, 1.0 and True are one value, and so are two lists with equal items.</summary>
internal static class PythonEquality
{
    /// <summary>The comparer of dictionary keys; <see cref="Missing"/> stands for None.</summary>
    public static readonly IEqualityComparer<object> Keys = new KeyComparer();

    /// <summary>Identity first, as Python's containers do when they look for an item.</summary>
    public static bool AreSame(object? a, object? b) => ReferenceEquals(a, b) || AreEqual(a, b);

    public static bool AreEqual(object? a, object? b)
    {
        if (a is string left)
            return b is string right ? string.Equals(left, right) : b is Markup marked && marked.Text == left;
        if (a is Markup markup)
            return b is string text ? text == markup.Text : b is Markup other && other.Text == markup.Text;
        if (PythonNumbers.IsNumber(a))
            return PythonNumbers.IsNumber(b) && PythonNumbers.Compare(a, b) == 0;
        return (a, b) switch
        {
            (Undefined, Undefined) => true,
            (PythonList x, PythonList y) => ItemsEqual(x.Items, y.Items),
            (PythonTuple x, PythonTuple y) => ItemsEqual(x.Items, y.Items),
            (PythonDict x, PythonDict y) => DictsEqual(x, y),
            (PythonRange x, PythonRange y) => x.Count == y.Count && (x.Count == 0 || (x.Start == y.Start && (x.Count == 1 || x.Step == y.Step))),
            (PythonDictView { Kind: "keys" } x, PythonDictView { Kind: "keys" } y) =>
                x.Dict.Count == y.Dict.Count && Array.TrueForAll(x.Dict.Keys, key => y.Dict.TryGet(key, out _)),
            (PythonDictView { Kind: "items" } x, PythonDictView { Kind: "items" } y) => DictsEqual(x.Dict, y.Dict),
            (BoundMethod x, BoundMethod y) => x.Function == y.Function && ReferenceEquals(x.Self, y.Self),
            _ => ReferenceEquals(a, b),
        };
    }

    /// <summary>A hash that equal values share.</summary>
    /// <exception cref="EvaluationException">The value is, or holds, a list or dict: these have no hash.</exception>
    public static int Hash(object? value) => value switch
    {
        null => 0x5bd1,
        string text => text.GetHashCode(StringComparison.Ordinal),
        Markup markup => markup.Text.GetHashCode(StringComparison.Ordinal),
        bool flag => flag ? 1L.GetHashCode() : 0L.GetHashCode(),
        long number => number.GetHashCode(),
        BigInteger number => ((double)number).GetHashCode(),
        double number => Math.Floor(number) == number && Math.Abs(number) < 9e18 ? ((long)number).GetHashCode() : number.GetHashCode(),
        PythonTuple tuple => tuple.GetHashCode(),
        PythonList or PythonDict or PythonDictView { Kind: not "values" } => throw EvaluationException.Type($"unhashable type: '{PythonTypes.NameOf(value)}'"),
        PythonRange range => HashCode.Combine(range.Count, range.Start),
        BoundMethod method => method.Function.GetHashCode(),
        _ => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value),
    };

    public static bool IsHashable(object? value) => value switch
    {
        PythonTuple tuple => Array.TrueForAll(tuple.Items, IsHashable),
        PythonList or PythonDict or PythonDictView { Kind: not "values" } => false,
        _ => true,
    };

    private static bool ItemsEqual(object?[] a, object?[] b)
    {
        if (a.Length != b.Length)
            return false;
        for (int i = 0; i < a.Length; i++)
        {
            if (!AreSame(a[i], b[i]))
                return false;
        }
        return true;
    }

    private static bool DictsEqual(PythonDict a, PythonDict b)
    {
        if (a.Count != b.Count)
            return false;
        for (int i = 0; i < a.Count; i++)
        {
            if (!b.TryGet(a.Keys[i], out object? other) || !AreSame(a.Values[i], other))
                return false;
        }
        return true;
    }

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        bool IEqualityComparer<object>.Equals(object? x, object? y) => AreSame(x, y);

        int IEqualityComparer<object>.GetHashCode(object obj) => obj is Missing ? 0x5bd1 : Hash(obj);
    }
}
