using System.Buffers.Text;
using System.Globalization;
using System.Text.Unicode;

namespace Lorikeet.Text;

/// <summary>Checks that every text of a JSON file can be read as UTF-16, which the parser leaves to the moment of reading.</summary>
internal static class JsonEncodingCheck
{
    /// <summary>Where the first broken character lies and what it is, or null.</summary>
    public static string? FindBroken(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return $"line {LineOf(json, FirstInvalid(json))}: holds bytes that are not UTF-8";
        for (int at = json.IndexOf((byte)'\\'); at >= 0 && at + 1 < json.Length;)
        {
            int unit = UnitAt(json, at);
            int next = at + (unit < 0 ? 2 : 6);
            if (unit is >= 0xD800 and <= 0xDFFF)
            {
                if (unit >= 0xDC00 || UnitAt(json, next) is not (>= 0xDC00 and <= 0xDFFF))
                    return $"line {LineOf(json, at)}: holds half a surrogate pair";
                next += 6;
            }
            int skip = next < json.Length ? json[next..].IndexOf((byte)'\\') : -1;
            at = skip < 0 ? -1 : next + skip;
        }
        return null;
    }

    /// <summary>The UTF-16 unit of an escape such as <c>\u00e9</c>, or -1 where none is.</summary>
    private static int UnitAt(ReadOnlySpan<byte> json, int at) =>
        at + 6 <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
            && Utf8Parser.TryParse(json.Slice(at + 2, 4), out int unit, out int digits, 'x') && digits == 4
            ? unit
            : -1;

    private static int FirstInvalid(ReadOnlySpan<byte> json)
    {
        int at = 0;
        while (System.Text.Rune.DecodeFromUtf8(json[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
            at += length;
        return at;
    }

    private static string LineOf(ReadOnlySpan<byte> json, int at) => (json[..at].Count((byte)'\n') + 1).ToString(CultureInfo.InvariantCulture);
}
