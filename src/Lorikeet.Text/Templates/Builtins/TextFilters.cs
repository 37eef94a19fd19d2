using System.Globalization;
using System.Numerics;
using System.Text;

namespace Lorikeet.Text;

/// <summary>The filters on text and numbers.</summary>
internal static class TextFilters
{
    public static readonly NativeFunction[] All =
    [
        new("abs", "x", Abs),
        new("capitalize", "s", a => Alike(a, StringCase.Capitalize(Soft(a)))),
        new("center", "value width?", a => Alike(a, StringOperations.Center(a.State, Soft(a), a.Int(1, 80), " "))),
        new("d", "value default_value? boolean?", Default),
        new("default", "value default_value? boolean?", Default),
        new("filesizeformat", "value binary?", FileSize),
        new("float", "value default?", Float),
        new("format", "value *args **kwargs", Format),
        new("indent", "s width? first? blank?", Indent),
        new("int", "value default? base?", Integer),
        new("lower", "s", a => Alike(a, StringCase.Lower(Soft(a)))),
        new("replace", "s old new count?", Replace),
        new("round", "value precision? method?", Round),
        new("safe", "value", a => a[0] as Markup ?? new Markup(Soft(a))),
        new("string", "object", a => a[0] is Markup ? a[0] : Soft(a)),
        new("title", "s", a => Title(Soft(a))),
        new("tojson", "x ensure_ascii? indent? separators? sort_keys?", JsonText.Filter),
        new("trim", "value chars?", a => Alike(a, StringOperations.Strip(Soft(a), a.IsSet(1) ? a.Text(1) : null, true, true))),
        new("truncate", "s length? killwords? end? leeway?", Truncate),
        new("upper", "s", a => Alike(a, StringCase.Upper(Soft(a)))),
        new("wordcount", "s", WordCount),
    ];

    /// <summary>The first argument as text.</summary>
    public static string Soft(NativeArguments a) => PythonText.Str(a[0], a.State);

    /// <summary>What <c>int(text, base)</c> accepts.</summary>
    public static BigInteger? ParseInteger(string text, int radix)
    {
        text = StringOperations.Strip(text);
        bool negative = text.StartsWith('-');
        if (negative || text.StartsWith('+'))
            text = text[1..];
        int prefixed = text.Length > 2 && text[0] == '0' ? char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefixed != 0 && radix is 0 || (prefixed != 0 && prefixed == radix))
        {
            text = text[2..];
            if (text.StartsWith('_'))
                text = text[1..];
            radix = prefixed;
        }
        if (radix == 0)
            radix = 10;
        BigInteger value = 0;
        bool digitBefore = false;
        if (text.Length > PythonNumbers.MaxDigits)
            throw EvaluationException.Value($"Exceeds the limit ({PythonNumbers.MaxDigits} digits) for integer string conversion");
        foreach (char c in text)
        {
            if (c == '_' && digitBefore)
            {
                digitBefore = false;
                continue;
            }
            int digit = char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : CharUnicodeInfo.GetDecimalDigitValue(c);
            if (digit < 0 || digit >= radix)
                return null;
            value = (value * radix) + digit;
            digitBefore = true;
        }
        return digitBefore ? (negative ? -value : value) : null;
    }

    // Marked as safe where the first argument was.
    private static object Alike(NativeArguments a, string text) => a[0] is Markup ? new Markup(text) : text;

    private static object? Abs(NativeArguments a)
    {
        if (a[0] is Undefined undefined)
            throw undefined.Error();
        return a[0] switch
        {
            double number => Math.Abs(number),
            var value when PythonNumbers.TryInteger(value, out BigInteger integer) => Boxed.Int(BigInteger.Abs(integer)),
            _ => throw EvaluationException.Type($"bad operand type for abs(): '{PythonTypes.NameOf(a[0])}'"),
        };
    }

    private static object? Default(NativeArguments a) =>
        a[0] is Undefined || (a.Flag(2, false) && !PythonText.IsTrue(a[0])) ? a.Or(1, "") : a[0];

    private static object? Float(NativeArguments a)
    {
        if (a[0] is Undefined undefined)
            throw undefined.Error();
        if (PythonText.IsText(a[0], out string text))
            return PythonFloat.TryParse(text, out double parsed) ? parsed : a.Or(1, 0.0);
        return PythonNumbers.IsNumber(a[0]) ? PythonNumbers.ToDouble(a[0]) : a.Or(1, 0.0);
    }

    private static object? Integer(NativeArguments a)
    {
        if (a[0] is Undefined undefined)
            throw undefined.Error();
        object? fallback = a.Or(1, Boxed.Int(0));
        if (PythonText.IsText(a[0], out string text))
        {
            int radix = a.Int(2, 10);
            if (radix is not (0 or (>= 2 and <= 36)))
                return fallback;
            if (ParseInteger(text, radix) is { } integer)
                return Boxed.Int(integer);
            return PythonFloat.TryParse(text, out double number) && double.IsFinite(number) ? PythonNumbers.Truncate(number) : fallback;
        }
        return a[0] switch
        {
            double number when double.IsNaN(number) => fallback,
            double number => PythonNumbers.Truncate(number),
            _ when PythonNumbers.IsNumber(a[0]) => PythonNumbers.Plus(a[0]),
            _ => fallback,
        };
    }

    private static object? Round(NativeArguments a)
    {
        if (a[0] is Undefined undefined)
            throw undefined.Error();
        string method = a.Text(2, "common");
        int precision = a.Int(1, 0);
        if (method is not ("common" or "ceil" or "floor"))
            throw EvaluationException.Value("method must be common, ceil or floor");
        if (!PythonNumbers.IsNumber(a[0]))
            throw EvaluationException.Type($"type {PythonTypes.NameOf(a[0])} doesn't define __round__ method");
        if (method != "common")
        {
            double scale = Math.Pow(10, precision), scaled = PythonNumbers.ToDouble(a[0]) * scale;
            double whole = method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled);
            return Operators.Apply(a.State, ArithmeticOperator.Divide, PythonNumbers.Truncate(whole), precision >= 0 ? PythonNumbers.Truncate(scale) : scale);
        }
        if (a[0] is double number)
            return PythonFloat.Round(number, precision);
        if (precision >= 0)
            return PythonNumbers.Plus(a[0]);
        PythonNumbers.TryInteger(a[0], out BigInteger integer);
        if (precision < -5000)
            return Boxed.Int(0);
        BigInteger unit = BigInteger.Pow(10, -precision);
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(integer), unit, out BigInteger rest);
        int half = (rest * 2).CompareTo(unit);
        if (half > 0 || (half == 0 && !quotient.IsEven))
            quotient += 1;
        return Boxed.Int(quotient * unit * integer.Sign);
    }

    private static object? FileSize(NativeArguments a)
    {
        object? given = a[0];
        if (PythonText.IsText(given, out string text) && PythonFloat.TryParse(text, out double parsed))
            given = parsed;
        if (given is Undefined undefined)
            throw undefined.Error();
        if (!PythonNumbers.IsNumber(given))
            throw EvaluationException.Value($"could not convert to float: {PythonText.Repr(given, a.State)}");
        double bytes = PythonNumbers.ToDouble(given);
        bool binary = a.Flag(1, false);
        double unit = binary ? 1024 : 1000;
        if (bytes == 1)
            return "1 Byte";
        if (bytes < unit)
            return PythonText.Str(PythonNumbers.Truncate(bytes)) + " Bytes";
        string letters = binary ? "KMGTPEZY" : "kMGTPEZY";
        int at = 0;
        while (at < letters.Length - 1 && bytes >= Math.Pow(unit, at + 2))
            at++;
        return PythonFloat.Fixed(unit * bytes / Math.Pow(unit, at + 2), 1) + " " + letters[at] + (binary ? "iB" : "B");
    }

    private static object? Format(NativeArguments a)
    {
        object?[] positional = a.Rest(1);
        NamedArgument[] named = a.Options(2);
        if (positional.Length > 0 && named.Length > 0)
            throw EvaluationException.Value("can't handle positional and keyword arguments at the same time");
        return Operators.Apply(a.State, ArithmeticOperator.Modulo, a[0] is Markup ? a[0] : Soft(a), named.Length > 0 ? DictMethods.Create(a.State, [], named) : new PythonTuple(positional));
    }

    private static object? Indent(NativeArguments a)
    {
        string indent = a.Has(1) && PythonText.IsText(a[1], out string given) ? given : StringOperations.Repeat(" ", Math.Min(a.Int(1, 4), 100_000));
        bool first = a.Flag(2, false), blank = a.Flag(3, false);
        List<string> lines = StringOperations.Lines(a.State, Soft(a) + "\n", keepEnds: false);
        StringBuilder result = new();
        for (int i = 0; i < lines.Count; i++)
        {
            if (i > 0)
                result.Append('\n');
            if (i == 0 ? first : blank || lines[i].Length > 0)
                result.Append(indent);
            result.Append(lines[i]);
            a.State.Grow(result);
        }
        return Alike(a, result.ToString());
    }

    private static object? Replace(NativeArguments a)
    {
        string text = Soft(a);
        return StringOperations.Replace(
            a.State, text, PythonText.Str(a[1], a.State), PythonText.Str(a[2], a.State), a.IsSet(3) ? a.Int(3) : -1);
    }

    // A word begins after white space, a hyphen or an opening bracket.
    private static string Title(string text)
    {
        StringBuilder result = new(text.Length);
        for (int start = 0; start < text.Length;)
        {
            int end = start;
            bool separator = IsWordBreak(text[start]);
            while (end < text.Length && IsWordBreak(text[end]) == separator)
                end++;
            int letter = start + (start + 1 < text.Length && char.IsSurrogatePair(text[start], text[start + 1]) ? 2 : 1);
            result.Append(StringCase.Upper(text[start..letter])).Append(StringCase.Lower(text[letter..end]));
            start = end;
        }
        return result.ToString();
    }

    private static bool IsWordBreak(char c) => c is '-' or '(' or '{' or '[' or '<' || CodePoints.IsSpace(c);

    private static object? Truncate(NativeArguments a)
    {
        string text = Soft(a), end = a.Text(3, "...");
        int length = a.Int(1, 255), leeway = a.IsSet(4) ? a.Int(4) : 5;
        int endLength = CodePoints.Count(end);
        if (length < endLength)
            throw EvaluationException.Value($"expected length >= {endLength}, got {length}");
        if (leeway < 0)
            throw EvaluationException.Value($"expected leeway >= 0, got {leeway}");
        if (CodePoints.Count(text) <= (long)length + leeway)
            return Alike(a, text);
        string cut = text[..CodePoints.ToUtf16(text, length - endLength)];
        int space = a.Flag(2, false) ? -1 : cut.LastIndexOf(' ');
        return Alike(a, (space < 0 ? cut : cut[..space]) + (a[0] is Markup ? Markup.Escape(end) : end));
    }

    private static object? WordCount(NativeArguments a)
    {
        int words = 0;
        bool inWord = false;
        foreach (Rune rune in Soft(a).EnumerateRunes())
        {
            bool letter = Rune.IsLetterOrDigit(rune) || rune.Value == '_';
            if (letter && !inWord)
                words++;
            inWord = letter;
        }
        return Boxed.Int(words);
    }
}
