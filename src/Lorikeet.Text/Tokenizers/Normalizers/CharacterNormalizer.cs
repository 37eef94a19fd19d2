using System.Text;

namespace Lorikeet.Text;

/// <summary>A normalizer that treats each character by itself: keeps it, replaces it, or drops it.</summary>
internal abstract class CharacterNormalizer : Normalizer
{
    /// <summary>What <see cref="Map"/> answers for a character to be left out.</summary>
    protected const int Dropped = -1;

    public override void Apply(AlignedText text)
    {
        if (!Changes(text.Text))
            return;
        TextRewriter rewriter = new(text);
        foreach (Rune rune in text.Text.EnumerateRunes())
        {
            int mapped = Map(rune);
            if (mapped == Dropped)
                rewriter.Skip(1);
            else
                rewriter.Replace(new Rune(mapped));
        }
        rewriter.Finish();
    }

    /// <summary>The character to put in the place of another, or <see cref="Dropped"/>.</summary>
    protected abstract int Map(Rune rune);

    private bool Changes(ReadOnlySpan<char> text)
    {
        foreach (Rune rune in text.EnumerateRunes())
            if (Map(rune) != rune.Value)
                return true;
        return false;
    }
}
