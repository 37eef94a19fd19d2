using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Prepend</c>: puts a text in front of one that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override void Apply(AlignedText text)
    {
        if (text.Length == 0)
            return;
        TextRewriter rewriter = new(text);
        foreach (Rune rune in prefix.EnumerateRunes())
            rewriter.InsertBefore(rune);
        rewriter.CopyTo(text.Length);
        rewriter.Finish();
    }
}
