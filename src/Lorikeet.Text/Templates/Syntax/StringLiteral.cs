using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>The escapes of a string in a template: those of Python.</summary>
internal static class StringLiteral
{
    /// <summary>The string that stands between the quotes; null where an escape is cut short or names a character.</summary>
    public static string? Unescape(string literal)
    {
        if (!literal.Contains('\\', StringComparison.Ordinal))
            return literal;
        StringBuilder text = new(literal.Length);
        for (int i = 0; i < literal.Length; i++)
        {
            if (literal[i] != '\\' || i + 1 == literal.Length)
            {
                text.Append(literal[i]);
                continue;
            }
            char c = literal[++i];
            int digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (digits > 0)
            {
                if (i + digits >= literal.Length
                    || !int.TryParse(literal.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int point)
                    || point is < 0 or > 0x10ffff)
                {
                    return null;
                }
                text.Append(CodePoints.Text(point));
                i += digits;
                continue;
            }
            if (c is >= '0' and <= '7')
            {
                int value = 0, end = Math.Min(i + 3, literal.Length);
                for (; i < end && literal[i] is >= '0' and <= '7'; i++)
                    value = (value * 8) + (literal[i] - '0');
                i--;
                text.Append((char)value);
                continue;
            }
            if (c == 'N')
                return null;
            string? simple = c switch
            {
                'n' => "\n",
                't' => "\t",
                'r' => "\r",
                'a' => "\a",
                'b' => "\b",
                'f' => "\f",
                'v' => "\v",
                '\\' or '\'' or '"' => c.ToString(),
                '\n' => "",
                _ => null,
            };
            text.Append(simple ?? "\\" + c);
        }
        return text.ToString();
    }
}
