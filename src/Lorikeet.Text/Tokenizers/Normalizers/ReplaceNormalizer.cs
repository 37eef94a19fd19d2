using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Replace</c>: puts a text in the place of every match of a pattern; all of it takes the place of the match's last character.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string content) : Normalizer
{
    public override void Apply(AlignedText text)
    {
        ReadOnlySpan<char> all = text.Text;
        PatternMatches matches = new(pattern);
        if (all.Length == 0 || !matches.Next(all, out int start, out int end))
            return;
        TextRewriter rewriter = new(text);
        do
        {
            rewriter.CopyTo(start);
            rewriter.SkipTo(end);
            foreach (Rune rune in content.EnumerateRunes())
                rewriter.Insert(rune);
        }
        while (matches.Next(all, out start, out end));
        rewriter.CopyTo(all.Length);
        rewriter.Finish();
    }
}
