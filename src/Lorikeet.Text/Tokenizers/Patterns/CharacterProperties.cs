using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>The sets that expressions name: <c>\p{L}</c>, <c>\p{Han}</c>, <c>[:alpha:]</c>.</summary>
internal static class CharacterProperties
{
    private static readonly Dictionary<string, UnicodeCategory[]> Categories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Lu"] = [UnicodeCategory.UppercaseLetter],
        ["Ll"] = [UnicodeCategory.LowercaseLetter],
        ["Lt"] = [UnicodeCategory.TitlecaseLetter],
        ["Lm"] = [UnicodeCategory.ModifierLetter],
        ["Lo"] = [UnicodeCategory.OtherLetter],
        ["LC"] = Range(UnicodeCategory.UppercaseLetter, UnicodeCategory.TitlecaseLetter),
        ["L"] = Range(UnicodeCategory.UppercaseLetter, UnicodeCategory.OtherLetter),
        ["Letter"] = Range(UnicodeCategory.UppercaseLetter, UnicodeCategory.OtherLetter),
        ["Mn"] = [UnicodeCategory.NonSpacingMark],
        ["Mc"] = [UnicodeCategory.SpacingCombiningMark],
        ["Me"] = [UnicodeCategory.EnclosingMark],
        ["M"] = Range(UnicodeCategory.NonSpacingMark, UnicodeCategory.EnclosingMark),
        ["Mark"] = Range(UnicodeCategory.NonSpacingMark, UnicodeCategory.EnclosingMark),
        ["Nd"] = [UnicodeCategory.DecimalDigitNumber],
        ["Nl"] = [UnicodeCategory.LetterNumber],
        ["No"] = [UnicodeCategory.OtherNumber],
        ["N"] = Range(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.OtherNumber),
        ["Number"] = Range(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.OtherNumber),
        ["Zs"] = [UnicodeCategory.SpaceSeparator],
        ["Zl"] = [UnicodeCategory.LineSeparator],
        ["Zp"] = [UnicodeCategory.ParagraphSeparator],
        ["Z"] = Range(UnicodeCategory.SpaceSeparator, UnicodeCategory.ParagraphSeparator),
        ["Separator"] = Range(UnicodeCategory.SpaceSeparator, UnicodeCategory.ParagraphSeparator),
        ["Cc"] = [UnicodeCategory.Control],
        ["Cf"] = [UnicodeCategory.Format],
        ["Cs"] = [UnicodeCategory.Surrogate],
        ["Co"] = [UnicodeCategory.PrivateUse],
        ["Cn"] = [UnicodeCategory.OtherNotAssigned],
        ["C"] = [.. Range(UnicodeCategory.Control, UnicodeCategory.PrivateUse), UnicodeCategory.OtherNotAssigned],
        ["Other"] = [.. Range(UnicodeCategory.Control, UnicodeCategory.PrivateUse), UnicodeCategory.OtherNotAssigned],
        ["Pc"] = [UnicodeCategory.ConnectorPunctuation],
        ["Pd"] = [UnicodeCategory.DashPunctuation],
        ["Ps"] = [UnicodeCategory.OpenPunctuation],
        ["Pe"] = [UnicodeCategory.ClosePunctuation],
        ["Pi"] = [UnicodeCategory.InitialQuotePunctuation],
        ["Pf"] = [UnicodeCategory.FinalQuotePunctuation],
        ["Po"] = [UnicodeCategory.OtherPunctuation],
        ["P"] = Range(UnicodeCategory.ConnectorPunctuation, UnicodeCategory.OtherPunctuation),
        ["Punctuation"] = Range(UnicodeCategory.ConnectorPunctuation, UnicodeCategory.OtherPunctuation),
        ["Sm"] = [UnicodeCategory.MathSymbol],
        ["Sc"] = [UnicodeCategory.CurrencySymbol],
        ["Sk"] = [UnicodeCategory.ModifierSymbol],
        ["So"] = [UnicodeCategory.OtherSymbol],
        ["S"] = Range(UnicodeCategory.MathSymbol, UnicodeCategory.OtherSymbol),
        ["Symbol"] = Range(UnicodeCategory.MathSymbol, UnicodeCategory.OtherSymbol),
    };

    /// <summary>The set of a name, or null.</summary>
    public static CharacterSet? Find(string name)
    {
        int equals = name.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0)
            name = name[(equals + 1)..];
        if (Categories.TryGetValue(name, out UnicodeCategory[]? categories))
            return new CharacterSet().AddCategories(categories);
        int script = Scripts.NumberOf(name);
        return script != Scripts.None ? new CharacterSet().AddScript(script) : FindClass(name);
    }

    /// <summary>White space.</summary>
    public static CharacterSet Space() => CharacterSet.Where(Characters.IsBlank);

    /// <summary>Word characters.</summary>
    public static CharacterSet Word() => CharacterSet.Where(Characters.IsWord);

    /// <summary>Decimal digits of any script.</summary>
    public static CharacterSet Digit() => new CharacterSet().AddCategories(UnicodeCategory.DecimalDigitNumber);

    /// <summary>0 to 9, a to f, A to F.</summary>
    public static CharacterSet HexDigit() => new CharacterSet().AddRange('0', '9').AddRange('a', 'f').AddRange('A', 'F');

    private static CharacterSet? FindClass(string name) => name.ToUpperInvariant() switch
    {
        "ANY" => CharacterSet.Any(),
        "ASCII" => new CharacterSet().AddRange(0, 0x7F),
        "ALPHA" or "ALPHABETIC" => CharacterSet.Where(r => Characters.IsWord(r) && !IsDigitOrConnector(r)),
        "ALNUM" => CharacterSet.Where(r => Characters.IsWord(r) && Rune.GetUnicodeCategory(r) != UnicodeCategory.ConnectorPunctuation),
        "UPPER" or "UPPERCASE" => new CharacterSet().AddCategories(UnicodeCategory.UppercaseLetter),
        "LOWER" or "LOWERCASE" => new CharacterSet().AddCategories(UnicodeCategory.LowercaseLetter),
        "DIGIT" => Digit(),
        "XDIGIT" => HexDigit(),
        "SPACE" or "WHITE_SPACE" => Space(),
        "BLANK" => new CharacterSet().AddRange('\t', '\t').AddCategories(UnicodeCategory.SpaceSeparator),
        "WORD" => Word(),
        "CNTRL" => new CharacterSet().AddCategories(UnicodeCategory.Control),
        "PUNCT" => CharacterSet.Where(Characters.IsPunctuation),
        "GRAPH" => CharacterSet.Where(r => !Characters.IsBlank(r) && IsVisible(r)),
        "PRINT" => CharacterSet.Where(r => Rune.GetUnicodeCategory(r) == UnicodeCategory.SpaceSeparator || (!Characters.IsBlank(r) && IsVisible(r))),
        _ => null,
    };

    private static bool IsDigitOrConnector(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation;

    private static bool IsVisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned);

    private static UnicodeCategory[] Range(UnicodeCategory first, UnicodeCategory last) =>
        [.. Enumerable.Range((int)first, (int)last - (int)first + 1).Select(c => (UnicodeCategory)c)];
}
