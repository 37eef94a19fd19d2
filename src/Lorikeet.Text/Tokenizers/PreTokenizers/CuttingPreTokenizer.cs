namespace Lorikeet.Text;

/// <summary>A pre-tokenizer that only cuts and leaves the characters as they are.</summary>
internal abstract class CuttingPreTokenizer : PreTokenizer
{
    public sealed override void Apply(PreTokenizedText text)
    {
        List<(int Start, int End)> next = text.NextPieces();
        ReadOnlySpan<char> all = text.Text.Text;
        foreach ((int start, int end) in text.Pieces)
            Cut(all[start..end], start, next);
        text.Take(next);
    }

    /// <summary>Adds the parts of one piece, which begins at <paramref name="offset"/> of its text; adds no empty part.</summary>
    protected abstract void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts);
}
