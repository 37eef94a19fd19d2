using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Lowercase</c>: each character by itself, without regard to language or to its place in a word.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    private const char CapitalIWithDot = '\u0130';
    private const char DotAbove = '\u0307';

    public override void Apply(AlignedText text)
    {
        if (!Changes(text.Text))
            return;
        TextRewriter rewriter = new(text);
        foreach (Rune rune in text.Text.EnumerateRunes())
        {
            if (rune.Value == CapitalIWithDot)
            {
                // the one character whose lower case is two
                rewriter.Replace(new Rune('i'));
                rewriter.Insert(new Rune(DotAbove));
            }
            else
                rewriter.Replace(Rune.ToLowerInvariant(rune));
        }
        rewriter.Finish();
    }

    private static bool Changes(ReadOnlySpan<char> text)
    {
        foreach (Rune rune in text.EnumerateRunes())
            if (rune.Value == CapitalIWithDot || Rune.ToLowerInvariant(rune) != rune)
                return true;
        return false;
    }
}
