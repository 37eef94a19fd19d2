using System.Globalization;
using System.Numerics;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Python's <c>"%s" % value</c>.</summary>
internal static class PercentFormat
{
    public static string Format(RenderState state, string format, object? arguments)
    {
        StringBuilder result = new();
        PythonTuple? tuple = arguments as PythonTuple;
        bool mapping = arguments is PythonDict or PythonList or PythonRange or PythonDictView or Undefined;
        int used = 0;

        object? Next()
        {
            if (used >= (tuple?.Count ?? 1))
                throw EvaluationException.Type("not enough arguments for format string");
            used++;
            return tuple is null ? arguments : tuple[used - 1];
        }

        for (int i = 0; i < format.Length; i++)
        {
            state.Grow(result);
            if (format[i] != '%')
            {
                int end = format.IndexOf('%', i);
                end = end < 0 ? format.Length : end;
                result.Append(format, i, end - i);
                i = end - 1;
                continue;
            }
            i++;
            object? keyed = Missing.Value;
            if (i < format.Length && format[i] == '(')
                keyed = Keyed(format, ref i, arguments);
            string flags = Flags(format, ref i);
            int width = Number(format, ref i, Next);
            if (width < 0)
                (width, flags) = (Math.Abs(width), flags + "-");
            int precision = -1;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = Math.Max(Number(format, ref i, Next), 0);
            }
            while (i < format.Length && format[i] is 'h' or 'l' or 'L')
                i++;
            if (i >= format.Length)
                throw EvaluationException.Value("incomplete format");
            if (format[i] == '%')
            {
                result.Append('%');
                continue;
            }
            object? value = ReferenceEquals(keyed, Missing.Value) ? Next() : keyed;
            string text = Convert(state, format[i], flags, width, precision, value, i);
            state.ChargeText(text.Length);
            result.Append(text);
        }
        if (!mapping && used < (tuple?.Count ?? 1))
            throw EvaluationException.Type("not all arguments converted during string formatting");
        return result.ToString();
    }

    private static object? Keyed(string format, ref int i, object? arguments)
    {
        int depth = 1, start = ++i;
        for (; i < format.Length && depth > 0; i++)
            depth += format[i] == '(' ? 1 : format[i] == ')' ? -1 : 0;
        if (depth > 0)
            throw EvaluationException.Value("incomplete format key");
        string key = format[start..(i - 1)];
        if (arguments is Undefined undefined)
            throw undefined.Error();
        if (arguments is not PythonDict dict)
            throw EvaluationException.Type("format requires a mapping");
        return dict.TryGet(key, out object? value) ? value : throw EvaluationException.Value(PythonText.Repr(key));
    }

    private static string Flags(string format, ref int i)
    {
        int start = i;
        while (i < format.Length && format[i] is '-' or '+' or ' ' or '#' or '0')
            i++;
        return format[start..i];
    }

    private static int Number(string format, ref int i, Func<object?> next)
    {
        if (i < format.Length && format[i] == '*')
        {
            i++;
            return PythonNumbers.TryIndex(next(), out long star)
                ? (int)Math.Clamp(star, -int.MaxValue, int.MaxValue)
                : throw EvaluationException.Type("* wants int");
        }
        int start = i;
        while (i < format.Length && char.IsAsciiDigit(format[i]))
            i++;
        if (start == i)
            return 0;
        return int.TryParse(format.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw EvaluationException.Value("width too big");
    }

    private static string Convert(RenderState state, char type, string flags, int width, int precision, object? value, int position)
    {
        bool left = flags.Contains('-', StringComparison.Ordinal);
        FormatSpec spec = new()
        {
            Fill = " ",
            Align = left ? '<' : '>',
            Sign = flags.Contains('+', StringComparison.Ordinal) ? '+' : flags.Contains(' ', StringComparison.Ordinal) ? ' ' : '-',
            Alternate = flags.Contains('#', StringComparison.Ordinal),
            Width = width,
            Precision = precision,
        };
        if (type is 's' or 'r' or 'a')
        {
            string text = type == 's' ? PythonText.Str(value, state) : type == 'r' ? PythonText.Repr(value, state) : PythonText.Ascii(value, state);
            return spec.Apply(state, text);
        }
        if (type == 'c')
            return (spec with { Precision = -1 }).Apply(state, Character(value));
        if (!left && flags.Contains('0', StringComparison.Ordinal))
            spec = spec with { Fill = "0", Align = '=' };
        if (value is Undefined undefined)
            throw undefined.Error();
        switch (type)
        {
            case 'd' or 'i' or 'u':
                if (!PythonNumbers.IsNumber(value))
                    throw EvaluationException.Type($"%{type} format: a real number is required, not {PythonTypes.NameOf(value)}");
                object whole = value is double number ? PythonNumbers.Truncate(number) : value!;
                return Integer(state, spec, 'd', whole);
            case 'o' or 'x' or 'X':
                if (!PythonNumbers.IsNumber(value) || value is double)
                    throw EvaluationException.Type($"%{type} format: an integer is required, not {PythonTypes.NameOf(value)}");
                return Integer(state, spec, type, value!);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                if (!PythonNumbers.IsNumber(value))
                    throw EvaluationException.Type($"must be real number, not {PythonTypes.NameOf(value)}");
                return (spec with { Type = type }).Apply(state, PythonNumbers.ToDouble(value));
            default:
                throw EvaluationException.Value(string.Create(
                    CultureInfo.InvariantCulture, $"unsupported format character '{type}' (0x{(int)type:x}) at index {position}"));
        }
    }

    // A precision gives integers leading zeros here, which a format specification cannot say.
    private static string Integer(RenderState state, FormatSpec spec, char type, object value)
    {
        int digits = spec.Precision;
        spec = spec with { Type = type, Precision = -1 };
        if (digits < 0)
            return spec.Apply(state, value);
        PythonNumbers.TryInteger(value, out BigInteger integer);
        state.CheckText(digits);
        int signs = (integer.Sign < 0 || spec.Sign != '-' ? 1 : 0) + (spec.Alternate && type != 'd' ? 2 : 0);
        string filled = (spec with { Fill = "0", Align = '=', Width = digits + signs }).Apply(state, value);
        return (spec with { Type = 's', Fill = spec.Align == '=' ? "0" : " ", Align = spec.Align == '=' ? '>' : spec.Align }).Apply(state, filled);
    }

    private static string Character(object? value)
    {
        if (PythonText.IsText(value, out string text) && CodePoints.Count(text) == 1)
            return text;
        if (!PythonNumbers.TryIndex(value, out long point))
            throw EvaluationException.Type("%c requires int or char");
        return point is >= 0 and <= 0x10ffff ? CodePoints.Text((int)point) : throw EvaluationException.Value("%c arg not in range(0x110000)");
    }
}
