using System.Text;

namespace Lorikeet.Text;

/// <summary>The work behind Python's string methods, in UTF-16 and linear in the length of the text whatever the text.</summary>
internal static class StringOperations
{
    // Beyond this the vectorised search of .NET could take quadratic time on repetitive text.
    private const int LongNeedle = 64;

    public static string Strip(string text) => StripEnd(StripStart(text));

    public static string StripStart(string text)
    {
        int start = 0;
        while (start < text.Length && CodePoints.IsSpace(text[start]))
            start++;
        return start == 0 ? text : text[start..];
    }

    public static string StripEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && CodePoints.IsSpace(text[end - 1]))
            end--;
        return end == text.Length ? text : text[..end];
    }

    /// <summary>Strips any of <paramref name="characters"/> (null: white space) from the chosen ends.</summary>
    public static string Strip(string text, string? characters, bool start, bool end)
    {
        if (characters is null)
            return start ? (end ? Strip(text) : StripStart(text)) : StripEnd(text);
        if (CodePoints.HasSurrogates(characters))
            return StripPoints(text, CodePoints.Of(characters), start, end);
        int from = 0, to = text.Length;
        while (start && from < to && characters.Contains(text[from], StringComparison.Ordinal))
            from++;
        while (end && to > from && characters.Contains(text[to - 1], StringComparison.Ordinal))
            to--;
        return text[from..to];
    }

    /// <summary>Where <paramref name="part"/> first occurs at or after <paramref name="start"/>, or -1.</summary>
    public static int Find(string text, string part, int start)
    {
        ReadOnlySpan<char> rest = text.AsSpan(start);
        int at = part.Length <= LongNeedle ? rest.IndexOf(part) : FindLong(rest, part);
        return at < 0 ? -1 : at + start;
    }

    /// <summary>Where <paramref name="part"/> last occurs, or -1.</summary>
    public static int FindLast(ReadOnlySpan<char> text, string part)
    {
        if (part.Length <= LongNeedle)
            return text.LastIndexOf(part);
        char[] backwards = text.ToArray(), wanted = part.ToCharArray();
        Array.Reverse(backwards);
        Array.Reverse(wanted);
        int at = FindLong(backwards, wanted);
        return at < 0 ? -1 : text.Length - at - part.Length;
    }

    public static int CountOf(string text, string part)
    {
        if (part.Length == 0)
            return CodePoints.Count(text) + 1;
        int count = 0;
        for (int at = Find(text, part, 0); at >= 0; at = Find(text, part, at + part.Length))
            count++;
        return count;
    }

    public static string Replace(RenderState state, string text, string old, string replacement, int count)
    {
        if (count == 0 || (old.Length == 0 && replacement.Length == 0))
            return text;
        if (old.Length == 0)
            return InsertEverywhere(state, text, replacement, count);
        int at = Find(text, old, 0);
        if (at < 0)
            return text;
        StringBuilder result = new(text.Length);
        int done = 0;
        while (at >= 0 && count != 0)
        {
            result.Append(text, done, at - done).Append(replacement);
            state.Grow(result);
            done = at + old.Length;
            count--;
            at = Find(text, old, done);
        }
        result.Append(text, done, text.Length - done);
        state.CheckText(result.Length);
        return result.ToString();
    }

    /// <summary>Splits at white space (<paramref name="separator"/> null) or at a separator, at most <paramref name="limit"/> times (-1: always).</summary>
    public static List<string> Split(RenderState state, string text, string? separator, int limit)
    {
        List<string> parts = [];
        if (limit < 0)
            limit = int.MaxValue;
        if (separator is null)
        {
            int at = SkipSpace(text, 0);
            while (at < text.Length)
            {
                if (parts.Count == limit)
                {
                    parts.Add(text[at..]);
                    break;
                }
                int end = at;
                while (end < text.Length && !CodePoints.IsSpace(text[end]))
                    end++;
                Add(state, parts, text[at..end]);
                at = SkipSpace(text, end);
            }
            return parts;
        }
        if (separator.Length == 0)
            throw EvaluationException.Value("empty separator");
        int start = 0;
        for (int at = Find(text, separator, 0); at >= 0 && parts.Count < limit; at = Find(text, separator, start))
        {
            Add(state, parts, text[start..at]);
            start = at + separator.Length;
        }
        Add(state, parts, text[start..]);
        return parts;
    }

    /// <summary>As <see cref="Split"/>, counted from the end.</summary>
    public static List<string> SplitFromEnd(RenderState state, string text, string? separator, int limit)
    {
        if (limit < 0)
            return Split(state, text, separator, limit);
        if (separator is { Length: 0 })
            throw EvaluationException.Value("empty separator");
        List<string> parts = [];
        int end = text.Length;
        if (separator is not null)
        {
            // Occurrences are taken from the end, without overlap.
            while (parts.Count < limit)
            {
                int at = FindLast(text.AsSpan(0, end), separator);
                if (at < 0)
                    break;
                Add(state, parts, text[(at + separator.Length)..end]);
                end = at;
            }
            Add(state, parts, text[..end]);
        }
        else
        {
            end = StripEnd(text).Length;
            while (end > 0)
            {
                if (parts.Count == limit)
                {
                    parts.Add(text[..end]);
                    break;
                }
                int start = end;
                while (start > 0 && !CodePoints.IsSpace(text[start - 1]))
                    start--;
                Add(state, parts, text[start..end]);
                end = start;
                while (end > 0 && CodePoints.IsSpace(text[end - 1]))
                    end--;
            }
        }
        parts.Reverse();
        return parts;
    }

    /// <summary>Python's <c>splitlines</c>: at every kind of line end that Unicode knows.</summary>
    public static List<string> Lines(RenderState state, string text, bool keepEnds)
    {
        List<string> lines = [];
        int start = 0;
        while (start < text.Length)
        {
            int end = start;
            while (end < text.Length && !IsLineEnd(text[end]))
                end++;
            int next = end == text.Length ? end : text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? end + 2 : end + 1;
            Add(state, lines, text[start..(keepEnds ? next : end)]);
            start = next;
        }
        return lines;
    }

    /// <summary>The text filled up to a width in code points.</summary>
    public static string Pad(RenderState state, string text, long left, long right, string fill)
    {
        if (left <= 0 && right <= 0)
            return text;
        state.CheckText(text.Length + (Math.Max(left, 0) + Math.Max(right, 0)) * fill.Length);
        return Repeat(fill, (int)Math.Max(left, 0)) + text + Repeat(fill, (int)Math.Max(right, 0));
    }

    public static string Center(RenderState state, string text, int width, string fill)
    {
        long room = (long)width - CodePoints.Count(text);
        if (room <= 0)
            return text;
        long left = (room / 2) + (room & width & 1);
        return Pad(state, text, left, room - left, fill);
    }

    public static string Repeat(string text, int count)
    {
        if (count <= 0 || text.Length == 0)
            return "";
        return text.Length == 1
            ? new string(text[0], count)
            : string.Create(text.Length * count, text, static (span, part) =>
            {
                for (int i = 0; i < span.Length; i += part.Length)
                    part.CopyTo(span[i..]);
            });
    }

    private static void Add(RenderState state, List<string> parts, string part)
    {
        state.Charge(1 + (part.Length >> 4));
        state.CheckItems(parts.Count + 1);
        parts.Add(part);
    }

    private static int SkipSpace(string text, int at)
    {
        while (at < text.Length && CodePoints.IsSpace(text[at]))
            at++;
        return at;
    }

    private static bool IsLineEnd(char c) => c is (>= '\n' and <= '\r') or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029';

    private static string InsertEverywhere(RenderState state, string text, string inserted, int count)
    {
        int[] points = CodePoints.Of(text);
        state.CheckText(text.Length + (inserted.Length * (long)(count < 0 ? points.Length + 1 : Math.Min(count, points.Length + 1))));
        StringBuilder result = new();
        for (int i = 0; i <= points.Length; i++)
        {
            if (count != 0)
            {
                result.Append(inserted);
                count--;
            }
            if (i < points.Length)
                result.Append(CodePoints.Text(points[i]));
        }
        return result.ToString();
    }

    private static string StripPoints(string text, int[] characters, bool start, bool end)
    {
        int[] points = CodePoints.Of(text);
        int from = 0, to = points.Length;
        while (start && from < to && characters.Contains(points[from]))
            from++;
        while (end && to > from && characters.Contains(points[to - 1]))
            to--;
        return CodePoints.Text(points.AsSpan(from, to - from));
    }

    // Knuth, Morris and Pratt (1977).
    private static int FindLong(ReadOnlySpan<char> text, ReadOnlySpan<char> part)
    {
        int[] fallback = new int[part.Length];
        for (int i = 1, matched = 0; i < part.Length; i++)
        {
            while (matched > 0 && part[i] != part[matched])
                matched = fallback[matched - 1];
            if (part[i] == part[matched])
                matched++;
            fallback[i] = matched;
        }
        for (int i = 0, matched = 0; i < text.Length; i++)
        {
            while (matched > 0 && text[i] != part[matched])
                matched = fallback[matched - 1];
            if (text[i] == part[matched])
                matched++;
            if (matched == part.Length)
                return i - part.Length + 1;
        }
        return -1;
    }
}
