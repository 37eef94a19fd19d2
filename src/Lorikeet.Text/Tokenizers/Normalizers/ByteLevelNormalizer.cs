namespace Lorikeet.Text;

/// <summary><c>ByteLevel</c>: spells each byte of the text by a printable character.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override void Apply(AlignedText text)
    {
        TextRewriter rewriter = new(text);
        rewriter.SpellBytes(text.Text);
        rewriter.Finish();
    }
}
