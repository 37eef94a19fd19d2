namespace Lorikeet.Text;

/// <summary>Python's <c>&lt;</c> and its kin: numbers with numbers, strings with strings, lists with lists; all else is an error.</summary>
internal static class PythonOrder
{
    /// <summary>
    /// Negative, zero or positive; null where a NaN makes every comparison false.
    /// <paramref name="symbol"/> is the operator that an error names.
    /// </summary>
    public static int? Compare(object? a, object? b, string symbol = "<")
    {
        if (PythonNumbers.IsNumber(a) && PythonNumbers.IsNumber(b))
            return PythonNumbers.Compare(a, b);
        if (PythonText.IsText(a, out string left) && PythonText.IsText(b, out string right))
            return CodePoints.Compare(left, right);
        if (a is Undefined missing || (missing = (b as Undefined)!) is not null)
            throw missing.Error();
        return (a, b) switch
        {
            (PythonList x, PythonList y) => Items(x.Items, y.Items, symbol),
            (PythonTuple x, PythonTuple y) => Items(x.Items, y.Items, symbol),
            _ => throw EvaluationException.Type(
                $"'{symbol}' not supported between instances of '{PythonTypes.NameOf(a)}' and '{PythonTypes.NameOf(b)}'"),
        };
    }

    /// <summary>For sorting: whether <paramref name="a"/> comes before <paramref name="b"/>, 0 where neither does.</summary>
    public static int ForSort(object? a, object? b) => Compare(a, b) ?? 0;

    private static int? Items(object?[] a, object?[] b, string symbol)
    {
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            if (!PythonEquality.AreSame(a[i], b[i]))
                return Compare(a[i], b[i], symbol);
        }
        return a.Length.CompareTo(b.Length);
    }
}
