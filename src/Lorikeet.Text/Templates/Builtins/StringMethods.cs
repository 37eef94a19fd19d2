using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>The methods of Python's str.</summary>
internal static class StringMethods
{
    public static readonly FrozenDictionary<string, NativeFunction> All = new NativeFunction[]
    {
        new("capitalize", "/", a => StringCase.Capitalize(a.SelfText)),
        new("casefold", "/", a => StringCase.Fold(a.SelfText)),
        new("center", "width fillchar? /", a => StringOperations.Center(a.State, a.SelfText, a.Int(0), Fill(a))),
        new("count", "sub start? end? /", Count),
        new("endswith", "suffix start? end? /", a => Boxed.Bool(HasAffix(a, (text, part) => text.EndsWith(part, StringComparison.Ordinal)))),
        new("expandtabs", "tabsize?", ExpandTabs),
        new("find", "sub start? end? /", a => Boxed.Int(Find(a, false))),
        new("format", "*args **kwargs", a => Format(a, escape: false)),
        new("format_map", "mapping /", a => FormatMap(a, escape: false)),
        new("index", "sub start? end? /", a => Boxed.Int(Found(Find(a, false)))),
        new("isalnum", "/", a => Every(a, r => Rune.IsLetter(r) || Rune.GetNumericValue(r) >= 0)),
        new("isalpha", "/", a => Every(a, Rune.IsLetter)),
        new("isascii", "/", a => Boxed.Bool(Ascii.IsValid(a.SelfText))),
        new("isdecimal", "/", a => Every(a, Rune.IsDigit)),
        new("isdigit", "/", a => Every(a, r => CharUnicodeInfo.GetDigitValue(r.ToString(), 0) >= 0)),
        new("isidentifier", "/", a => Boxed.Bool(IsIdentifier(a.SelfText))),
        new("islower", "/", a => Boxed.Bool(StringCase.IsLower(a.SelfText))),
        new("isnumeric", "/", a => Every(a, r => Rune.GetNumericValue(r) >= 0)),
        new("isprintable", "/", a => Boxed.Bool(Array.TrueForAll(CodePoints.Of(a.SelfText), CodePoints.IsPrintable))),
        new("isspace", "/", a => Boxed.Bool(a.SelfText.Length > 0 && StringOperations.Strip(a.SelfText).Length == 0)),
        new("istitle", "/", a => Boxed.Bool(StringCase.IsTitle(a.SelfText))),
        new("isupper", "/", a => Boxed.Bool(StringCase.IsUpper(a.SelfText))),
        new("join", "iterable /", Join),
        new("ljust", "width fillchar? /", a => StringOperations.Pad(a.State, a.SelfText, 0, (long)a.Int(0) - CodePoints.Count(a.SelfText), Fill(a))),
        new("lower", "/", a => StringCase.Lower(a.SelfText)),
        new("lstrip", "chars? /", a => StringOperations.Strip(a.SelfText, Characters(a), true, false)),
        new("maketrans", "x y? z? /", MakeTranslation),
        new("partition", "sep /", a => Partition(a, StringOperations.Find(a.SelfText, a.Text(0), 0), false)),
        new("removeprefix", "prefix /", a => a.SelfText.StartsWith(a.Text(0), StringComparison.Ordinal) ? a.SelfText[a.Text(0).Length..] : a.SelfText),
        new("removesuffix", "suffix /", a => a.SelfText.EndsWith(a.Text(0), StringComparison.Ordinal) ? a.SelfText[..^a.Text(0).Length] : a.SelfText),
        new("replace", "old new count? /", a => StringOperations.Replace(a.State, a.SelfText, a.Text(0), a.Text(1), a.Int(2, -1))),
        new("rfind", "sub start? end? /", a => Boxed.Int(Find(a, true))),
        new("rindex", "sub start? end? /", a => Boxed.Int(Found(Find(a, true)))),
        new("rjust", "width fillchar? /", a => StringOperations.Pad(a.State, a.SelfText, (long)a.Int(0) - CodePoints.Count(a.SelfText), 0, Fill(a))),
        new("rpartition", "sep /", a => Partition(a, StringOperations.FindLast(a.SelfText, a.Text(0)), true)),
        new("rsplit", "sep? maxsplit?", a => ListOf(StringOperations.SplitFromEnd(a.State, a.SelfText, a.IsSet(0) ? a.Text(0) : null, a.Int(1, -1)))),
        new("rstrip", "chars? /", a => StringOperations.Strip(a.SelfText, Characters(a), false, true)),
        new("split", "sep? maxsplit?", a => ListOf(StringOperations.Split(a.State, a.SelfText, a.IsSet(0) ? a.Text(0) : null, a.Int(1, -1)))),
        new("splitlines", "keepends?", a => ListOf(StringOperations.Lines(a.State, a.SelfText, a.Flag(0, false)))),
        new("startswith", "prefix start? end? /", a => Boxed.Bool(HasAffix(a, (text, part) => text.StartsWith(part, StringComparison.Ordinal)))),
        new("strip", "chars? /", a => StringOperations.Strip(a.SelfText, Characters(a), true, true)),
        new("swapcase", "/", a => StringCase.Swap(a.SelfText)),
        new("title", "/", a => StringCase.Title(a.SelfText)),
        new("translate", "table /", Translate),
        new("upper", "/", a => StringCase.Upper(a.SelfText)),
        new("zfill", "width /", a => ZeroFill(a.State, a.SelfText, a.Int(0))),
    }.ToFrozenDictionary(f => f.Name);

    public static PythonList ListOf(List<string> parts) => new([.. parts]);

    public static object Format(NativeArguments a, bool escape)
    {
        NamedArgument[] named = a.Options(1);
        return BraceFormat.Format(a.State, a.SelfText, a.Rest(0), name =>
        {
            int at = Array.FindIndex(named, n => n.Name == name);
            return at >= 0 ? named[at].Value : throw EvaluationException.Value(PythonText.Repr(name));
        }, escape);
    }

    public static object FormatMap(NativeArguments a, bool escape)
    {
        object? mapping = a[0];
        return BraceFormat.Format(a.State, a.SelfText, [], name => mapping is PythonDict dict && dict.TryGet(name, out object? value)
            ? value
            : throw EvaluationException.Value(PythonText.Repr(name)), escape);
    }

    private static string? Characters(NativeArguments a)
    {
        if (a.Has(0) && a[0] is not null && !PythonText.IsText(a[0], out _) && a[0] is not Undefined)
            throw EvaluationException.Type("strip arg must be None or str");
        return a.IsSet(0) ? a.Text(0) : null;
    }

    private static string Fill(NativeArguments a)
    {
        string fill = a.Text(1, " ");
        return CodePoints.Count(fill) == 1 ? fill : throw EvaluationException.Type("The fill character must be exactly one character long");
    }

    private static object Every(NativeArguments a, Func<Rune, bool> condition)
    {
        string text = a.SelfText;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!condition(rune))
                return Boxed.False;
        }
        return Boxed.Bool(text.Length > 0);
    }

    private static bool IsIdentifier(string text) => text.Length > 0 && !char.IsDigit(text[0])
        && text.EnumerateRunes().All(r => Rune.IsLetterOrDigit(r) || r.Value == '_'
            || Rune.GetUnicodeCategory(r) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.LetterNumber);

    // The part of the string between the optional bounds at arguments 1 and 2, and where it begins in code points.
    private static (string Text, int Start) Window(NativeArguments a)
    {
        string text = a.SelfText;
        if (!a.IsSet(1) && !a.IsSet(2))
            return (text, 0);
        int length = CodePoints.Count(text);
        object? start = a.IsSet(1) ? a[1] : null, stop = a.IsSet(2) ? a[2] : null;
        (int first, int count, _) = Slicing.Resolve(length, start, stop, null);
        int from = CodePoints.ToUtf16(text, first);
        return (text[from..CodePoints.ToUtf16(text, first + count)], first);
    }

    private static object Count(NativeArguments a) => Boxed.Int(StringOperations.CountOf(Window(a).Text, a.Text(0)));

    private static int Find(NativeArguments a, bool last)
    {
        (string text, int start) = Window(a);
        int at = last ? StringOperations.FindLast(text, a.Text(0)) : StringOperations.Find(text, a.Text(0), 0);
        return at < 0 ? -1 : start + CodePoints.FromUtf16(text, at);
    }

    private static int Found(int at) => at >= 0 ? at : throw EvaluationException.Value("substring not found");

    private static bool HasAffix(NativeArguments a, Func<string, string, bool> matches)
    {
        string text = a.IsSet(1) || a.IsSet(2) ? Window(a).Text : a.SelfText;
        if (a[0] is PythonTuple choices)
        {
            foreach (object? choice in choices.Items)
            {
                if (!PythonText.IsText(choice, out string affix))
                    throw EvaluationException.Type($"tuple for startswith must only contain str, not {PythonTypes.NameOf(choice)}");
                if (matches(text, affix))
                    return true;
            }
            return false;
        }
        return matches(text, a.Text(0));
    }

    private static string ExpandTabs(NativeArguments a)
    {
        int size = a.Int(0, 8);
        StringBuilder result = new();
        int column = 0;
        foreach (int point in CodePoints.Of(a.SelfText))
        {
            if (point == '\t')
            {
                int spaces = size > 0 ? size - (column % size) : 0;
                a.State.CheckText(spaces);
                result.Append(' ', spaces);
                a.State.Grow(result);
                column += spaces;
                continue;
            }
            result.Append(CodePoints.Text(point));
            column = point is '\n' or '\r' ? 0 : column + 1;
        }
        return result.ToString();
    }

    private static string Join(NativeArguments a)
    {
        if (!Iteration.IsIterable(a[0]))
            throw EvaluationException.Type("can only join an iterable");
        object?[] items = Iteration.ToArray(a.State, a[0]);
        StringBuilder result = new();
        for (int i = 0; i < items.Length; i++)
        {
            if (!PythonText.IsText(items[i], out string item))
                throw EvaluationException.Type($"sequence item {i}: expected str instance, {PythonTypes.NameOf(items[i])} found");
            if (i > 0)
                result.Append(a.SelfText);
            result.Append(item);
            a.State.Grow(result);
        }
        return result.ToString();
    }

    private static PythonTuple Partition(NativeArguments a, int at, bool last)
    {
        string text = a.SelfText, separator = a.Text(0);
        if (separator.Length == 0)
            throw EvaluationException.Value("empty separator");
        if (at < 0)
            return new PythonTuple(last ? ["", "", text] : [text, "", ""]);
        return new PythonTuple([text[..at], separator, text[(at + separator.Length)..]]);
    }

    private static PythonDict MakeTranslation(NativeArguments a)
    {
        PythonDictBuilder table = new();
        if (!a.Has(1))
        {
            PythonDict given = a[0] as PythonDict ?? throw EvaluationException.Type("if you give only one argument to maketrans it must be a dict");
            for (int i = 0; i < given.Count; i++)
                table.Set(PythonText.IsText(given.Keys[i], out string key) ? Boxed.Int(CodePoints.Of(key)[0]) : given.Keys[i], given.Values[i]);
            return table.Build();
        }
        int[] from = CodePoints.Of(a.Text(0)), to = CodePoints.Of(a.Text(1));
        if (from.Length != to.Length)
            throw EvaluationException.Value("the first two maketrans arguments must have equal length");
        for (int i = 0; i < from.Length; i++)
            table.Set(Boxed.Int(from[i]), Boxed.Int(to[i]));
        foreach (int point in CodePoints.Of(a.Text(2, "")))
            table.Set(Boxed.Int(point), null);
        return table.Build();
    }

    private static string Translate(NativeArguments a)
    {
        PythonDict table = a[0] as PythonDict ?? throw EvaluationException.Type($"'{PythonTypes.NameOf(a[0])}' object is not subscriptable");
        StringBuilder result = new();
        foreach (int point in CodePoints.Of(a.SelfText))
        {
            if (!table.TryGet(Boxed.Int(point), out object? mapped))
                result.Append(CodePoints.Text(point));
            else if (PythonText.IsText(mapped, out string text))
                result.Append(text);
            else if (PythonNumbers.TryIndex(mapped, out long to) && to is >= 0 and <= 0x10ffff)
                result.Append(CodePoints.Text((int)to));
            else if (mapped is not null)
                throw EvaluationException.Type("character mapping must return integer, None or str");
            a.State.Grow(result);
        }
        return result.ToString();
    }

    private static string ZeroFill(RenderState state, string text, int width)
    {
        long room = (long)width - CodePoints.Count(text);
        if (room <= 0)
            return text;
        bool signed = text.Length > 0 && text[0] is '+' or '-';
        return (signed ? text[..1] : "") + StringOperations.Pad(state, signed ? text[1..] : text, room, 0, "0");
    }
}
