using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Python's <c>"{0} {name!r:>8}".format(…)</c>; attributes and items are read as templates read them, sandbox included.</summary>
internal sealed class BraceFormat
{
    private readonly RenderState _state;
    private readonly object?[] _positional;
    private readonly Func<string, object?> _named;
    private readonly bool _escape;
    private int _next;
    private bool _numbered;

    private BraceFormat(RenderState state, object?[] positional, Func<string, object?> named, bool escape)
    {
        _state = state;
        _positional = positional;
        _named = named;
        _escape = escape;
    }

    /// <summary>Fills in the fields.</summary>
    /// <param name="state">The rendering.</param>
    /// <param name="format">The text with its fields.</param>
    /// <param name="positional">What numbers mean.</param>
    /// <param name="named">What names mean; throws for a name that there is not.</param>
    /// <param name="escape">Whether the values are made safe for HTML, as the format method of markup does.</param>
    public static string Format(RenderState state, string format, object?[] positional, Func<string, object?> named, bool escape) =>
        new BraceFormat(state, positional, named, escape).Expand(format, 2);

    private string Expand(string format, int depth)
    {
        if (depth < 0)
            throw EvaluationException.Value("Max string recursion exceeded");
        StringBuilder result = new();
        for (int i = 0; i < format.Length; i++)
        {
            _state.Grow(result);
            char c = format[i];
            if (c is not ('{' or '}'))
            {
                result.Append(c);
            }
            else if (i + 1 < format.Length && format[i + 1] == c)
            {
                result.Append(c);
                i++;
            }
            else if (c == '}')
            {
                throw EvaluationException.Value("Single '}' encountered in format string");
            }
            else
            {
                int end = EndOfField(format, i + 1);
                result.Append(Field(format[(i + 1)..end], depth));
                i = end;
            }
        }
        return result.ToString();
    }

    private static int EndOfField(string format, int start)
    {
        if (start >= format.Length)
            throw EvaluationException.Value("Single '{' encountered in format string");
        for (int i = start, depth = 1; i < format.Length; i++)
        {
            depth += format[i] == '{' ? 1 : format[i] == '}' ? -1 : 0;
            if (depth == 0)
                return i;
        }
        throw EvaluationException.Value("expected '}' before end of string");
    }

    private string Field(string field, int depth)
    {
        int nameEnd = 0;
        for (bool inItem = false; nameEnd < field.Length; nameEnd++)
        {
            char c = field[nameEnd];
            inItem = c == '[' || (inItem && c != ']');
            if (!inItem && c is ':' or '!')
                break;
        }
        object? value = Lookup(field[..nameEnd]);
        char conversion = '\0';
        if (nameEnd < field.Length && field[nameEnd] == '!')
        {
            if (nameEnd + 1 >= field.Length)
                throw EvaluationException.Value("end of string while looking for conversion specifier");
            conversion = field[nameEnd + 1];
            nameEnd += 2;
            if (nameEnd < field.Length && field[nameEnd] != ':')
                throw EvaluationException.Value("expected ':' after conversion specifier");
        }
        string spec = nameEnd < field.Length ? Expand(field[(nameEnd + 1)..], depth - 1) : "";
        value = conversion switch
        {
            '\0' => value,
            's' => PythonText.Str(value, _state),
            'r' => PythonText.Repr(value, _state),
            'a' => PythonText.Ascii(value, _state),
            _ => throw EvaluationException.Value($"Unknown conversion specifier {conversion}"),
        };
        string text = FormatSpec.Format(_state, value, spec);
        _state.ChargeText(text.Length);
        return _escape && value is not Markup ? Markup.Escape(text) : text;
    }

    private object? Lookup(string path)
    {
        int at = path.AsSpan().IndexOfAny('.', '[');
        string first = at < 0 ? path : path[..at];
        object? value = First(first);
        while (at >= 0 && at < path.Length)
        {
            if (path[at] == '.')
            {
                int end = path.AsSpan(at + 1).IndexOfAny('.', '[');
                end = end < 0 ? path.Length : end + at + 1;
                value = Access.Attribute(value, path[(at + 1)..end]);
                at = end;
            }
            else if (path[at] == '[')
            {
                int end = path.IndexOf(']', at);
                if (end < 0)
                    throw EvaluationException.Value("Missing ']' in format string");
                string key = path[(at + 1)..end];
                value = Access.Item(_state, value, long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? Boxed.Int(index) : key);
                at = end + 1;
            }
            else
            {
                throw EvaluationException.Value("Only '.' or '[' may follow ']' in format field specifier");
            }
        }
        return value;
    }

    private object? First(string name)
    {
        if (name.Length > 0 && !char.IsAsciiDigit(name[0]))
            return _named(name);
        int index;
        if (name.Length == 0)
        {
            if (_numbered)
                throw EvaluationException.Value("cannot switch from manual field specification to automatic field numbering");
            index = _next++;
        }
        else
        {
            if (_next > 0)
                throw EvaluationException.Value("cannot switch from automatic field numbering to manual field specification");
            _numbered = true;
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out index))
                throw EvaluationException.Value("Too many decimal digits in format string");
        }
        return index < _positional.Length
            ? _positional[index]
            : throw EvaluationException.Value($"Replacement index {index} out of range for positional args tuple");
    }
}
