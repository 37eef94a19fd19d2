using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Properties of characters as Unicode defines them, looked up fast.</summary>
internal static class Characters
{
    private static readonly CharacterKind[] Kinds = MakeKinds();

    /// <summary>Kind of the character at an index and how many units it takes; half a surrogate pair counts as a symbol (U+FFFD).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharacterKind KindAt(ReadOnlySpan<char> text, int index, out int units)
    {
        char c = text[index];
        units = 1;
        return char.IsSurrogate(c) ? KindOfSurrogate(text, index, out units) : Kinds[c];
    }

    /// <summary>Kind of one character.</summary>
    public static CharacterKind KindOf(Rune rune) => rune.IsBmp ? Kinds[rune.Value] : KindOf(Rune.GetUnicodeCategory(rune));

    /// <summary>The property White_Space; all its characters lie in the first plane.</summary>
    public static bool IsBlank(Rune rune) => rune.IsBmp && (Kinds[rune.Value] & CharacterKind.Blank) != 0;

    /// <summary>The property White_Space.</summary>
    public static bool IsBlank(char c) => (Kinds[c] & CharacterKind.Blank) != 0;

    /// <summary>A word character: alphabetic, mark, decimal number, connector or joiner.</summary>
    public static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.NonSpacingMark
            or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.ConnectorPunctuation => true,
        // Other_Alphabetic symbols (circled and squared letters) and the two joiners
        UnicodeCategory.OtherSymbol => rune.Value is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => rune.Value is 0x200C or 0x200D,
    };

    /// <summary>ASCII punctuation (symbols included) or a character of category P.</summary>
    public static bool IsPunctuation(Rune rune) =>
        rune.IsAscii
            ? rune.Value is (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~')
            : (KindOf(rune) & CharacterKind.Punctuation) != 0;

    /// <summary>The character after case folding, as far as one character folds to one.</summary>
    public static int Fold(int codePoint)
    {
        if (codePoint < 0x80)
            return codePoint is >= 'A' and <= 'Z' ? codePoint + 32 : codePoint;
        // the invariant culture keeps the long s apart
        if (codePoint == 0x17F)
            return 's';
        return Rune.IsValid(codePoint) ? Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(codePoint))).Value : codePoint;
    }

    private static CharacterKind KindOfSurrogate(ReadOnlySpan<char> text, int index, out int units)
    {
        Rune.DecodeFromUtf16(text[index..], out Rune rune, out units);
        return KindOf(rune);
    }

    private static CharacterKind[] MakeKinds()
    {
        var kinds = new CharacterKind[0x10000];
        for (int c = 0; c < kinds.Length; c++)
        {
            kinds[c] = KindOf(CharUnicodeInfo.GetUnicodeCategory((char)c));
            if (char.IsWhiteSpace((char)c))
                kinds[c] |= CharacterKind.Blank;
        }
        return kinds;
    }

    private static CharacterKind KindOf(UnicodeCategory category) => category switch
    {
        <= UnicodeCategory.OtherLetter => CharacterKind.Letter,
        <= UnicodeCategory.EnclosingMark => CharacterKind.Mark,
        <= UnicodeCategory.OtherNumber => CharacterKind.Number,
        >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation => CharacterKind.Punctuation,
        >= UnicodeCategory.MathSymbol and <= UnicodeCategory.OtherSymbol => CharacterKind.Symbol,
        _ => CharacterKind.Other,
    };
}
