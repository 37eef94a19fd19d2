using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Formats;

/// <summary>
/// Writes JSON byte for byte as Python's <c>json.dumps</c> does, which is what every file of the Hugging Face world is written with: floats as <c>repr</c>
/// shows them (<c>1e-05</c>, <c>10000.0</c>), <c>NaN</c> and <c>Infinity</c> bare, whole numbers untouched.
/// </summary>
public static class PythonJson
{
    /// <summary>The text of a value.</summary>
    /// <param name="value">Any tree; null is <c>null</c>.</param>
    /// <param name="style">Its layout.</param>
    public static string Write(JsonNode? value, JsonStyle style)
    {
        ArgumentNullException.ThrowIfNull(style);
        StringBuilder text = new();
        WriteNode(text, value, style, 0);
        if (style.FinalNewline)
            text.Append('\n');
        return text.ToString();
    }

    /// <summary>A float as Python's <c>repr</c> shows it: the shortest digits that read back as the same double.</summary>
    public static string Float(double value) => Float(value, value.ToString("R", CultureInfo.InvariantCulture));

    private static string Float(double value, string shortest)
    {
        if (double.IsNaN(value))
            return "NaN";
        if (double.IsInfinity(value))
            return value > 0 ? "Infinity" : "-Infinity";

        string sign = shortest.StartsWith('-') ? "-" : "";
        (string digits, int exponent) = Decimal(shortest.AsSpan(sign.Length));
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }
        if (exponent < 0)
            return sign + "0." + new string('0', -exponent - 1) + digits;
        if (digits.Length <= exponent + 1)
            return sign + digits.PadRight(exponent + 1, '0') + ".0";
        return sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    /// <summary>Significant digits <c>d.ddd</c> and the power of ten of the first one.</summary>
    private static (string Digits, int Exponent) Decimal(ReadOnlySpan<char> number)
    {
        int exponent = 0;
        int e = number.IndexOf('E');
        if (e >= 0)
        {
            exponent = int.Parse(number[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            number = number[..e];
        }
        int point = number.IndexOf('.');
        string all = point < 0 ? number.ToString() : string.Concat(number[..point], number[(point + 1)..]);
        exponent += (point < 0 ? number.Length : point) - 1;
        string digits = all.TrimStart('0');
        if (digits.Length == 0)
            return ("0", 0);
        exponent -= all.Length - digits.Length;
        return (digits.TrimEnd('0'), exponent);
    }

    private static void WriteNode(StringBuilder text, JsonNode? node, JsonStyle style, int depth)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject map:
                IEnumerable<KeyValuePair<string, JsonNode?>> members = style.SortKeys ? map.OrderBy(member => member.Key, CodePointOrder.Instance) : map;
                WriteMany(text, '{', '}', members, style, depth, member =>
                {
                    WriteString(text, member.Key, style.EnsureAscii);
                    text.Append(": ");
                    WriteNode(text, member.Value, style, depth + 1);
                });
                break;
            case JsonArray list:
                WriteMany(text, '[', ']', list, style, depth, item => WriteNode(text, item, style, depth + 1));
                break;
            default:
                WriteValue(text, node.AsValue(), style);
                break;
        }
    }

    private static void WriteMany<T>(StringBuilder text, char open, char close, IEnumerable<T> items, JsonStyle style, int depth, Action<T> write)
    {
        text.Append(open);
        bool first = true;
        foreach (T item in items)
        {
            if (!first)
                text.Append(style.Indent == 0 ? ", " : ",");
            first = false;
            NewLine(depth + 1);
            write(item);
        }
        if (!first)
            NewLine(depth);
        text.Append(close);

        void NewLine(int level)
        {
            if (style.Indent > 0)
                text.Append('\n').Append(' ', level * style.Indent);
        }
    }

    private static void WriteValue(StringBuilder text, JsonValue value, JsonStyle style)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                WriteString(text, value.GetValue<string>(), style.EnsureAscii);
                break;
            case JsonValueKind.True:
                text.Append("true");
                break;
            case JsonValueKind.False:
                text.Append("false");
                break;
            case JsonValueKind.Null:
                text.Append("null");
                break;
            default:
                text.Append(Number(value));
                break;
        }
    }

    private static string Number(JsonValue value)
    {
        if (value.TryGetValue(out JsonElement element))
        {
            string raw = element.GetRawText();
            if (raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0)
                return raw == "-0" ? "0" : raw;
            return Float(double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture));
        }
        // a single shows its own shortest digits, not those of the double beside it
        if (value.TryGetValue(out float single))
            return Float(single, single.ToString("R", CultureInfo.InvariantCulture));
        if (value.TryGetValue(out double number))
            return Float(number);
        if (value.TryGetValue(out BigInteger big))
            return big.ToString(CultureInfo.InvariantCulture);
        if (value.TryGetValue(out decimal exact))
            return exact.ToString(CultureInfo.InvariantCulture);
        return value.ToJsonString();
    }

    private static void WriteString(StringBuilder text, string value, bool ensureAscii)
    {
        text.Append('"');
        foreach (char c in value)
        {
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\f': text.Append("\\f"); break;
                case '\b': text.Append("\\b"); break;
                default:
                    if (c < ' ' || (ensureAscii && c > '~'))
                        text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    else
                        text.Append(c);
                    break;
            }
        }
        text.Append('"');
    }
}
