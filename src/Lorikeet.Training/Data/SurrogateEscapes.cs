using System.Globalization;

namespace Lorikeet.Training;

/// <summary>Finds <c>\ud83d</c> and the like in JSON that lack their other half: JSON allows them, but they are no Unicode text, and no tokenizer has a number for them.</summary>
internal static class SurrogateEscapes
{
    /// <summary>The first one without its other half, such as <c>\ud83d</c>; null where there is none.</summary>
    /// <param name="json">Raw JSON, valid or not.</param>
    public static string? FirstHalf(ReadOnlySpan<char> json)
    {
        for (int next; (next = json.IndexOf('\\')) >= 0;)
        {
            json = json[next..];
            char unit = Unit(json);
            if (!char.IsSurrogate(unit))
                json = json[Math.Min(2, json.Length)..];
            else if (char.IsHighSurrogate(unit) && char.IsLowSurrogate(Unit(json[6..])))
                json = json[12..];
            else
                return json[..6].ToString();
        }
        return null;
    }

    // the UTF-16 unit that an escape at the beginning stands for, else 0
    private static char Unit(ReadOnlySpan<char> text) =>
        text is ['\\', 'u', _, _, _, _, ..] && ushort.TryParse(text[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit) ? (char)unit : '\0';
}
