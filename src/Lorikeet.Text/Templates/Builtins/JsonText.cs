using System.Globalization;
using System.Numerics;
using System.Text;

namespace Lorikeet.Text;

/// <summary>The filter <c>tojson</c>: Python's <c>json.dumps</c>, without HTML escapes and with letters beyond ASCII kept.</summary>
internal sealed class JsonText
{
    private readonly StringBuilder _text = new();
    private readonly RenderState _state;
    private readonly bool _ascii;
    private readonly string? _indent;
    private readonly string _itemSeparator;
    private readonly string _keySeparator;
    private readonly bool _sortKeys;

    private JsonText(RenderState state, bool ascii, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
    {
        _state = state;
        _ascii = ascii;
        _indent = indent;
        _itemSeparator = itemSeparator;
        _keySeparator = keySeparator;
        _sortKeys = sortKeys;
    }

    /// <summary><c>value|tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)</c></summary>
    public static string Filter(NativeArguments a)
    {
        string? indent = null;
        if (a.IsSet(2))
        {
            if (PythonText.IsText(a[2], out string given))
                indent = given;
            else
                indent = StringOperations.Repeat(" ", Math.Min(a.Int(2), 1000));
        }
        string itemSeparator = indent is null ? ", " : ",", keySeparator = ": ";
        if (a.IsSet(3))
        {
            object?[] pair = Iteration.Unpack(a.State, a[3], 2);
            if (!PythonText.IsText(pair[0], out itemSeparator) || !PythonText.IsText(pair[1], out keySeparator))
                throw EvaluationException.Type("separators must be two strings");
        }
        JsonText json = new(a.State, a.Flag(1, false), indent, itemSeparator, keySeparator, a.Flag(4, false));
        json.Append(a[0], 0);
        return json._text.ToString();
    }

    private void Append(object? value, int level)
    {
        _state.Grow(_text);
        switch (value)
        {
            case null:
                _text.Append("null");
                break;
            case bool flag:
                _text.Append(flag ? "true" : "false");
                break;
            case string text:
                _state.ChargeText(text.Length);
                AppendString(text);
                break;
            case Markup markup:
                AppendString(markup.Text);
                break;
            case long number:
                _text.Append(number);
                break;
            case BigInteger number:
                _text.Append(PythonNumbers.Text(number));
                break;
            case double number:
                _text.Append(Number(number));
                break;
            case PythonSequence sequence:
                AppendItems(sequence, level);
                break;
            case PythonDict dict:
                AppendDict(dict, level);
                break;
            default:
                throw EvaluationException.Type($"Object of type {PythonTypes.NameOf(value)} is not JSON serializable");
        }
    }

    private void AppendItems(PythonSequence sequence, int level)
    {
        if (sequence.Count == 0)
        {
            _text.Append("[]");
            return;
        }
        _text.Append('[');
        for (int i = 0; i < sequence.Count; i++)
        {
            if (i > 0)
                _text.Append(_itemSeparator);
            NewLine(level + 1);
            Append(sequence[i], level + 1);
        }
        NewLine(level);
        _text.Append(']');
    }

    private void AppendDict(PythonDict dict, int level)
    {
        if (dict.Count == 0)
        {
            _text.Append("{}");
            return;
        }
        int[] order = [.. Enumerable.Range(0, dict.Count)];
        if (_sortKeys)
            order = StableSort.Order(_state, dict.Keys, reverse: false);
        _text.Append('{');
        for (int i = 0; i < order.Length; i++)
        {
            if (i > 0)
                _text.Append(_itemSeparator);
            NewLine(level + 1);
            AppendString(Key(dict.Keys[order[i]]));
            _text.Append(_keySeparator);
            Append(dict.Values[order[i]], level + 1);
        }
        NewLine(level);
        _text.Append('}');
    }

    private void NewLine(int level)
    {
        if (_indent is null)
            return;
        _text.Append('\n');
        for (int i = 0; i < level; i++)
            _text.Append(_indent);
    }

    private static string Key(object? key) => key switch
    {
        string text => text,
        Markup markup => markup.Text,
        null => "null",
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        BigInteger number => PythonNumbers.Text(number),
        double number => Number(number),
        _ => throw EvaluationException.Type($"keys must be str, int, float, bool or None, not {PythonTypes.NameOf(key)}"),
    };

    private static string Number(double number) => double.IsNaN(number) ? "NaN"
        : double.IsInfinity(number) ? (number > 0 ? "Infinity" : "-Infinity")
        : PythonFloat.Repr(number);

    private void AppendString(string text)
    {
        _text.Append('"');
        int done = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c >= ' ' && c != '"' && c != '\\' && (!_ascii || c < '\x7f'))
                continue;
            _text.Append(text, done, i - done);
            done = i + 1;
            switch (c)
            {
                case '"':
                    _text.Append("\\\"");
                    break;
                case '\\':
                    _text.Append("\\\\");
                    break;
                case '\n':
                    _text.Append("\\n");
                    break;
                case '\r':
                    _text.Append("\\r");
                    break;
                case '\t':
                    _text.Append("\\t");
                    break;
                case '\f':
                    _text.Append("\\f");
                    break;
                case '\b':
                    _text.Append("\\b");
                    break;
                case '\x7f':
                    _text.Append(c);
                    break;
                default:
                    _text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    break;
            }
        }
        _text.Append(text, done, text.Length - done).Append('"');
    }
}
