using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Python's upper, lower, title and folded case, with full Unicode mappings and no culture.</summary>
internal static class StringCase
{
    public static string Upper(string text)
    {
        if (Ascii.IsValid(text) || !HasSpecial(text))
            return text.ToUpperInvariant();
        StringBuilder result = new();
        foreach (char c in text)
        {
            if (SpecialCasing.Letters.TryGetValue(c, out (string Upper, string Title) special))
                result.Append(special.Upper);
            else
                result.Append(c);
        }
        return result.ToString().ToUpperInvariant();
    }

    public static string Lower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (Ascii.IsValid(text))
            return lower;
        if (text.Contains('Σ', StringComparison.Ordinal))
        {
            char[] letters = lower.ToCharArray();
            for (int i = 0; i < letters.Length; i++)
            {
                if (text[i] == 'Σ' && EndsWord(text, i))
                    letters[i] = 'ς';
            }
            lower = new string(letters);
        }
        return text.Contains('\u0130', StringComparison.Ordinal)
            ? lower.Replace("\u0130", "i\u0307", StringComparison.Ordinal)
            : lower;
    }

    /// <summary>For comparisons without regard to case.</summary>
    public static string Fold(string text)
    {
        string folded = text.Replace("ß", "ss", StringComparison.Ordinal).Replace("ẞ", "ss", StringComparison.Ordinal)
            .Replace('ς', 'σ').Replace('Σ', 'σ');
        return Lower(folded);
    }

    /// <summary>The first letter in title case, the rest in lower case.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0)
            return text;
        int first = text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
        return TitleOf(text[..first]) + Lower(text)[Lower(text[..first]).Length..];
    }

    /// <summary>Every letter that follows a letter in lower case, every other in title case.</summary>
    public static string Title(string text)
    {
        StringBuilder result = new(text.Length);
        bool inWord = false;
        for (int i = 0; i < text.Length; i++)
        {
            string letter = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? text.Substring(i++, 2) : text.Substring(i, 1);
            result.Append(inWord ? Lower(letter) : TitleOf(letter));
            inWord = IsCased(letter);
        }
        return result.ToString();
    }

    public static string Swap(string text)
    {
        StringBuilder result = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            result.Append(Rune.IsUpper(rune) ? Lower(rune.ToString()) : Upper(rune.ToString()));
        return result.ToString();
    }

    public static bool IsLower(string text) => HasCase(text, UnicodeCategory.LowercaseLetter, UnicodeCategory.UppercaseLetter);

    public static bool IsUpper(string text) => HasCase(text, UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter);

    public static bool IsTitle(string text)
    {
        bool inWord = false, any = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            bool capital = category is UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter;
            bool small = category == UnicodeCategory.LowercaseLetter;
            if ((capital && inWord) || (small && !inWord))
                return false;
            inWord = capital || small;
            any |= inWord;
        }
        return any;
    }

    private static bool HasSpecial(string text)
    {
        foreach (char c in text)
        {
            if (c >= '\x80' && SpecialCasing.Letters.ContainsKey(c))
                return true;
        }
        return false;
    }

    private static bool HasCase(string text, UnicodeCategory wanted, UnicodeCategory refused)
    {
        bool any = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (category == refused || category == UnicodeCategory.TitlecaseLetter)
                return false;
            any |= category == wanted;
        }
        return any;
    }

    private static string TitleOf(string letter)
    {
        char c = letter[0];
        if (SpecialCasing.Letters.TryGetValue(c, out (string Upper, string Title) special))
            return special.Title;
        return c switch
        {
            >= '\u01C4' and <= '\u01C6' => "\u01C5",
            >= '\u01C7' and <= '\u01C9' => "\u01C8",
            >= '\u01CA' and <= '\u01CC' => "\u01CB",
            >= '\u01F1' and <= '\u01F3' => "\u01F2",
            >= '\u10D0' and <= '\u10FF' => letter, // Georgian has capitals for whole words only
            _ => letter.ToUpperInvariant(),
        };
    }

    private static bool IsCased(string letter) => CharUnicodeInfo.GetUnicodeCategory(letter, 0) is UnicodeCategory.UppercaseLetter
        or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    // A capital sigma at the end of a word becomes the final form.
    private static bool EndsWord(string text, int at)
    {
        int before = at - 1, after = at + 1;
        while (before >= 0 && IsIgnorable(text[before]))
            before--;
        while (after < text.Length && IsIgnorable(text[after]))
            after++;
        return before >= 0 && char.IsLetter(text[before]) && !(after < text.Length && char.IsLetter(text[after]));
    }

    private static bool IsIgnorable(char c) => c is '\'' or '.' or ':' or '\u00AD' or '\u2019'
        || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format;
}
