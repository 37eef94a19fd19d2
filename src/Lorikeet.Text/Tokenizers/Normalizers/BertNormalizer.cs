using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// <c>BertNormalizer</c>: drops control characters, makes every blank a plain one, puts blanks around Chinese characters, drops accents,
/// and turns to lower case, each where asked.
/// </summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChineseCharacters, bool stripAccents, bool lowercase) : Normalizer
{
    private static readonly CharacterNormalizer Clean = new CleanText();
    private static readonly Normalizer Decompose = new UnicodeFormNormalizer(compose: false, compatible: false);
    private static readonly CharacterNormalizer DropAccents = new DropNonSpacingMarks();
    private static readonly LowercaseNormalizer Lowercase = new();

    public override void Apply(AlignedText text)
    {
        if (cleanText)
            Clean.Apply(text);
        if (handleChineseCharacters)
            SetChineseCharactersApart(text);
        if (stripAccents)
        {
            Decompose.Apply(text);
            DropAccents.Apply(text);
        }
        if (lowercase)
            Lowercase.Apply(text);
    }

    private static void SetChineseCharactersApart(AlignedText text)
    {
        bool any = false;
        foreach (Rune rune in text.Text.EnumerateRunes())
            any |= IsChinese(rune.Value);
        if (!any)
            return;
        TextRewriter rewriter = new(text);
        Rune blank = new(' ');
        foreach (Rune rune in text.Text.EnumerateRunes())
        {
            if (!IsChinese(rune.Value))
            {
                rewriter.Replace(rune);
                continue;
            }
            rewriter.Replace(blank);
            rewriter.Insert(rune);
            rewriter.Insert(blank);
        }
        rewriter.Finish();
    }

    /// <summary>The blocks of CJK ideographs that BERT separates.</summary>
    private static bool IsChinese(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF)
        or (>= 0x2F800 and <= 0x2FA1F);

    private sealed class CleanText : CharacterNormalizer
    {
        protected override int Map(Rune rune)
        {
            if (rune.Value is '\t' or '\n' or '\r')
                return ' ';
            if (rune.Value is 0 or 0xFFFD)
                return Dropped;
            if (rune.Value is >= ' ' and < 0x7F)
                return rune.Value;
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse)
                return Dropped;
            return Characters.IsBlank(rune) ? ' ' : rune.Value;
        }
    }

    private sealed class DropNonSpacingMarks : CharacterNormalizer
    {
        protected override int Map(Rune rune) =>
            rune.Value >= 0x300 && Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark ? Dropped : rune.Value;
    }
}
