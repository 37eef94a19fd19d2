using System.Globalization;
using System.Numerics;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Python's format specification, <c>[[fill]align][sign][z][#][0][width][grouping][.precision][type]</c>, and what it makes of values.</summary>
internal readonly record struct FormatSpec
{
    // Far beyond the 1074 decimals that a double can have.
    private const int MaxPrecision = 5000;

    public string Fill { get; init; }

    /// <summary><c>&lt;</c>, <c>&gt;</c>, <c>^</c>, <c>=</c>, or 0 for the type's own.</summary>
    public char Align { get; init; }

    /// <summary><c>+</c>, <c>-</c> or space.</summary>
    public char Sign { get; init; }

    public bool Alternate { get; init; }

    public int Width { get; init; }

    public char Grouping { get; init; }

    /// <summary>-1 where none is given.</summary>
    public int Precision { get; init; }

    /// <summary>0 where none is given.</summary>
    public char Type { get; init; }

    public static string Format(RenderState state, object? value, string spec)
    {
        if (spec.Length == 0)
            return PythonText.Str(value, state);
        if (value is not (string or Markup or double) && !PythonNumbers.IsNumber(value))
            throw EvaluationException.Type($"unsupported format string passed to {PythonTypes.NameOf(value)}.__format__");
        return Parse(spec).Apply(state, value);
    }

    public static FormatSpec Parse(string spec)
    {
        int at = 0;
        string fill = " ";
        char align = '\0', sign = '-', grouping = '\0', type = '\0';
        bool alternate = false;
        int fillLength = spec.Length > 1 && char.IsSurrogatePair(spec[0], spec[1]) ? 2 : 1;
        if (spec.Length > fillLength && "<>^=".Contains(spec[fillLength], StringComparison.Ordinal))
        {
            fill = spec[..fillLength];
            align = spec[fillLength];
            at = fillLength + 1;
        }
        else if ("<>^=".Contains(spec[0], StringComparison.Ordinal))
        {
            align = spec[at++];
        }
        if (at < spec.Length && spec[at] is '+' or '-' or ' ')
            sign = spec[at++];
        if (at < spec.Length && spec[at] == 'z')
            at++;
        if (at < spec.Length && spec[at] == '#')
        {
            alternate = true;
            at++;
        }
        if (at < spec.Length && spec[at] == '0')
        {
            if (align == '\0')
                (fill, align) = ("0", '=');
            at++;
        }
        int width = Number(spec, ref at) ?? 0;
        if (at < spec.Length && spec[at] is ',' or '_')
            grouping = spec[at++];
        int precision = -1;
        if (at < spec.Length && spec[at] == '.')
        {
            at++;
            precision = Number(spec, ref at) ?? throw EvaluationException.Value("Format specifier missing precision");
        }
        if (at < spec.Length)
            type = spec[at++];
        if (at < spec.Length)
            throw EvaluationException.Value($"Invalid format specifier '{spec}'");
        return new FormatSpec
        {
            Fill = fill,
            Align = align,
            Sign = sign,
            Alternate = alternate,
            Width = width,
            Grouping = grouping,
            Precision = precision,
            Type = type,
        };
    }

    public string Apply(RenderState state, object? value)
    {
        if (Precision > MaxPrecision)
            throw EvaluationException.Limit($"a precision of {Precision} digits");
        if (PythonText.IsText(value, out string text))
            return ApplyText(state, text);
        if (value is double || "eEfFgG%".Contains(Type, StringComparison.Ordinal))
        {
            if (value is double || Type != '\0')
                return ApplyFloat(state, PythonNumbers.ToDouble(value));
        }
        PythonNumbers.TryInteger(value, out BigInteger integer);
        return ApplyInteger(state, integer, value);
    }

    private static int? Number(string spec, ref int at)
    {
        int start = at;
        while (at < spec.Length && char.IsAsciiDigit(spec[at]))
            at++;
        if (at == start)
            return null;
        return int.TryParse(spec.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw EvaluationException.Value("Too many decimal digits in format string");
    }

    private string ApplyText(RenderState state, string text)
    {
        if (Type is not ('\0' or 's'))
            throw Unknown("str");
        if (Align == '=' && Fill != "0")
            throw EvaluationException.Value("'=' alignment not allowed in string format specifier");
        if (Precision >= 0)
            text = text[..CodePoints.ToUtf16(text, Precision)];
        return Pad(state, text, Align is '\0' or '=' ? '<' : Align);
    }

    private string ApplyInteger(RenderState state, BigInteger value, object? original)
    {
        if (Precision >= 0)
            throw EvaluationException.Value("Precision not allowed in integer format specifier");
        if (Type == 'c')
        {
            if (value < 0 || value > 0x10ffff)
                throw EvaluationException.Value("%c arg not in range(0x110000)");
            return Pad(state, CodePoints.Text((int)value), Align == '\0' ? '<' : Align);
        }
        BigInteger size = BigInteger.Abs(value);
        (string digits, string prefix) = Type switch
        {
            '\0' or 'd' or 'n' => (PythonNumbers.Text(size), ""),
            'b' => (Binary(size, 1), "0b"),
            'o' => (Binary(size, 3), "0o"),
            'x' => (Binary(size, 4), "0x"),
            'X' => (Binary(size, 4).ToUpperInvariant(), "0X"),
            _ => throw Unknown(PythonTypes.NameOf(original)),
        };
        return Assemble(state, value.Sign < 0, Alternate ? prefix : "", digits, "", Type is 'b' or 'o' or 'x' or 'X' ? 4 : 3);
    }

    private string ApplyFloat(RenderState state, double value)
    {
        if (Type is not ('\0' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%'))
            throw Unknown("float");
        bool negative = double.IsNegative(value) && !double.IsNaN(value);
        double size = Math.Abs(value);
        string body = FloatBody(size);
        if (char.IsUpper(Type))
            body = body.ToUpperInvariant();
        int whole = 0;
        while (whole < body.Length && char.IsAsciiDigit(body[whole]))
            whole++;
        return Assemble(state, negative, "", body[..whole], body[whole..], 3);
    }

    private string FloatBody(double size)
    {
        if (!double.IsFinite(size))
            return PythonFloat.NonFinite(size) + (Type == '%' ? "%" : "");
        int precision = Precision < 0 ? 6 : Precision;
        switch (Type)
        {
            case 'f' or 'F':
                return WithPoint(PythonFloat.Fixed(size, precision));
            case '%':
                return WithPoint(PythonFloat.Fixed(size * 100, precision)) + "%";
            case 'e' or 'E':
                (string digits, int exponent) = PythonFloat.Scientific(size, precision);
                return Mantissa(digits) + PythonFloat.ExponentText(exponent);
            case '\0' when Precision < 0:
                return PythonFloat.Repr(size);
            default:
                return General(size, Math.Max(precision, 1));
        }
    }

    private string General(double size, int precision)
    {
        (string digits, int exponent) = PythonFloat.Scientific(size, precision - 1);
        bool bare = Type == '\0';
        bool exponential = exponent < -4 || exponent >= (bare ? Math.Max(precision - 1, 1) : precision);
        if (!Alternate)
            digits = digits.TrimEnd('0').PadRight(1, '0');
        if (exponential)
            return Mantissa(digits) + PythonFloat.ExponentText(exponent);
        if (exponent < 0)
            return "0." + new string('0', -exponent - 1) + digits;
        if (digits.Length > exponent + 1)
            return digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
        return digits.PadRight(exponent + 1, '0') + (bare ? ".0" : Alternate ? "." : "");
    }

    private string WithPoint(string text) => Alternate && !text.Contains('.', StringComparison.Ordinal) ? text + "." : text;

    private string Mantissa(string digits) => digits.Length > 1 ? digits[0] + "." + digits[1..] : Alternate ? digits + "." : digits;

    private string Assemble(RenderState state, bool negative, string prefix, string digits, string rest, int group)
    {
        string sign = negative ? "-" : Sign == '-' ? "" : Sign.ToString();
        if (Grouping != '\0')
        {
            // Zeros that fill the width are grouped as digits are.
            int room = Fill == "0" && Align == '=' ? Width - sign.Length - prefix.Length - rest.Length : 0;
            state.CheckText(room);
            digits = Grouped(digits, group, room);
        }
        string lead = sign + prefix;
        if (Align == '=')
            return lead + StringOperations.Pad(state, "", (long)Width - lead.Length - digits.Length - rest.Length, 0, Fill) + digits + rest;
        return Pad(state, lead + digits + rest, Align == '\0' ? '>' : Align);
    }

    private string Grouped(string digits, int group, int room)
    {
        StringBuilder reversed = new();
        int count = 0;
        for (int i = digits.Length - 1; i >= 0 || reversed.Length < room; i--)
        {
            if (count > 0 && count % group == 0)
                reversed.Append(Grouping);
            reversed.Append(i >= 0 ? digits[i] : '0');
            count++;
        }
        char[] letters = reversed.ToString().ToCharArray();
        Array.Reverse(letters);
        return new string(letters);
    }

    private string Pad(RenderState state, string text, char align)
    {
        long room = (long)Width - CodePoints.Count(text);
        if (room <= 0)
            return text;
        return align switch
        {
            '<' => StringOperations.Pad(state, text, 0, room, Fill),
            '^' => StringOperations.Pad(state, text, room / 2, room - (room / 2), Fill),
            _ => StringOperations.Pad(state, text, room, 0, Fill),
        };
    }

    private static string Binary(BigInteger value, int bits)
    {
        if (value.IsZero)
            return "0";
        StringBuilder digits = new();
        for (int shift = (((int)value.GetBitLength() - 1) / bits) * bits; shift >= 0; shift -= bits)
            digits.Append("0123456789abcdef"[(int)((value >> shift) & ((1 << bits) - 1))]);
        return digits.ToString();
    }

    private EvaluationException Unknown(string type) =>
        EvaluationException.Value($"Unknown format code '{Type}' for object of type '{type}'");
}
