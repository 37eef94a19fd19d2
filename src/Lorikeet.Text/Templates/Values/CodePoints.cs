using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Strings as Python counts them: by code point, where .NET counts UTF-16 units. Most strings have no surrogates and need no work.</summary>
internal static class CodePoints
{
    public static bool HasSurrogates(string text) => text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');

    public static int Count(string text)
    {
        if (!HasSurrogates(text))
            return text.Length;
        int pairs = 0;
        for (int i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i], text[i + 1]))
            {
                pairs++;
                i++;
            }
        }
        return text.Length - pairs;
    }

    /// <summary>Every code point; a surrogate without its partner stands for itself.</summary>
    public static int[] Of(string text)
    {
        int[] points = new int[Count(text)];
        int at = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool pair = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
            points[at++] = pair ? char.ConvertToUtf32(text[i], text[++i]) : text[i];
        }
        return points;
    }

    public static string Text(int point) =>
        point is >= 0xD800 and <= 0xDFFF ? ((char)point).ToString() : char.ConvertFromUtf32(point);

    public static string Text(ReadOnlySpan<int> points)
    {
        StringBuilder text = new(points.Length);
        foreach (int point in points)
        {
            if (point < 0x10000)
                text.Append((char)point);
            else
                text.Append(char.ConvertFromUtf32(point));
        }
        return text.ToString();
    }

    /// <summary>Each character as a string of its own.</summary>
    public static object?[] Split(string text)
    {
        int[] points = Of(text);
        object?[] items = new object?[points.Length];
        for (int i = 0; i < items.Length; i++)
            items[i] = Text(points[i]);
        return items;
    }

    /// <summary>The UTF-16 position of the code point with this number; the length of the text where it has fewer.</summary>
    public static int ToUtf16(string text, int number)
    {
        if (number <= 0 || !HasSurrogates(text))
            return Math.Clamp(number, 0, text.Length);
        int at = 0;
        while (number > 0 && at < text.Length)
        {
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
            number--;
        }
        return at;
    }

    /// <summary>The number of the code point at this UTF-16 position.</summary>
    public static int FromUtf16(string text, int position) =>
        HasSurrogates(text) ? Count(text[..position]) : position;

    /// <summary>By code point, which differs from UTF-16 order only where surrogates meet U+E000 and above.</summary>
    public static int Compare(string a, string b)
    {
        int common = a.AsSpan().CommonPrefixLength(b);
        if (common == a.Length || common == b.Length)
            return a.Length.CompareTo(b.Length);
        char x = a[common], y = b[common];
        return char.IsSurrogate(x) == char.IsSurrogate(y) ? x.CompareTo(y) : char.IsSurrogate(x) ? 1 : -1;
    }

    /// <summary>What <c>str.isspace</c> calls white space.</summary>
    public static bool IsSpace(char c) => c <= ' '
        ? c is ' ' or (>= '\t' and <= '\r') or (>= '\x1c' and <= '\x1f')
        : c >= '\x85' && char.IsWhiteSpace(c);

    /// <summary>Whether <c>repr</c> shows the character itself, not an escape.</summary>
    public static bool IsPrintable(int point)
    {
        if (point < 0x7f)
            return point >= 0x20;
        return CharUnicodeInfo.GetUnicodeCategory(point) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
    }
}
