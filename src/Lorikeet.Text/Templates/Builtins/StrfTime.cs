using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Python's <c>datetime.strftime</c> in the C locale, with the flags of glibc (<c>%-d</c> drops the zero).</summary>
internal static class StrfTime
{
    public static string Format(DateTime time, string format)
    {
        StringBuilder result = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            int start = i++;
            char flag = format[i] is '-' or '_' or '0' or '^' or '#' && i + 1 < format.Length ? format[i++] : '\0';
            string? text = Directive(time, format[i], flag);
            result.Append(text is null ? format[start..(i + 1)] : flag is '^' or '#' ? text.ToUpperInvariant() : text);
        }
        return result.ToString();
    }

    private static string? Directive(DateTime time, char directive, char flag)
    {
        DateTimeFormatInfo names = CultureInfo.InvariantCulture.DateTimeFormat;
        int hour12 = time.Hour % 12 == 0 ? 12 : time.Hour % 12;
        return directive switch
        {
            'a' => names.GetAbbreviatedDayName(time.DayOfWeek),
            'A' => names.GetDayName(time.DayOfWeek),
            'b' or 'h' => names.GetAbbreviatedMonthName(time.Month),
            'B' => names.GetMonthName(time.Month),
            'c' => Format(time, "%a %b %e %H:%M:%S %Y"),
            'C' => Padded(time.Year / 100, 2, '0', flag),
            'd' => Padded(time.Day, 2, '0', flag),
            'D' or 'x' => Format(time, "%m/%d/%y"),
            'e' => Padded(time.Day, 2, ' ', flag),
            'f' => Padded((int)(time.Ticks % TimeSpan.TicksPerSecond / 10), 6, '0', '\0'),
            'F' => Format(time, "%Y-%m-%d"),
            'g' => Padded(ISOWeek.GetYear(time) % 100, 2, '0', flag),
            'G' => Padded(ISOWeek.GetYear(time), 4, '0', flag),
            'H' => Padded(time.Hour, 2, '0', flag),
            'I' => Padded(hour12, 2, '0', flag),
            'j' => Padded(time.DayOfYear, 3, '0', flag),
            'k' => Padded(time.Hour, 2, ' ', flag),
            'l' => Padded(hour12, 2, ' ', flag),
            'm' => Padded(time.Month, 2, '0', flag),
            'M' => Padded(time.Minute, 2, '0', flag),
            'n' => "\n",
            'p' => time.Hour < 12 ? "AM" : "PM",
            'P' => time.Hour < 12 ? "am" : "pm",
            'r' => Format(time, "%I:%M:%S %p"),
            'R' => Format(time, "%H:%M"),
            's' => new DateTimeOffset(time).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            'S' => Padded(time.Second, 2, '0', flag),
            't' => "\t",
            'T' or 'X' => Format(time, "%H:%M:%S"),
            'u' => Padded(time.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)time.DayOfWeek, 1, '0', flag),
            'U' => Padded((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7, 2, '0', flag),
            'V' => Padded(ISOWeek.GetWeekOfYear(time), 2, '0', flag),
            'w' => Padded((int)time.DayOfWeek, 1, '0', flag),
            'W' => Padded((time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7, 2, '0', flag),
            'y' => Padded(time.Year % 100, 2, '0', flag),
            'Y' => Padded(time.Year, 1, '0', flag),
            'z' or 'Z' => "", // the clock of templates has no time zone
            '%' => "%",
            _ => null,
        };
    }

    private static string Padded(int number, int width, char fill, char flag)
    {
        string text = number.ToString(CultureInfo.InvariantCulture);
        return flag switch
        {
            '-' => text,
            '_' => text.PadLeft(width, ' '),
            '0' => text.PadLeft(width, '0'),
            _ => text.PadLeft(width, fill),
        };
    }
}
