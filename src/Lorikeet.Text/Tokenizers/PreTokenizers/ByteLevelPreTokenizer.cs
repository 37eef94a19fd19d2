using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// <c>ByteLevel</c>: puts a blank in front where asked, cuts into GPT-2's words where asked, and spells each byte by a printable character.
/// A model that reads bytes itself has the last step left out.
/// </summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex, bool spellBytes = true) : PreTokenizer
{
    private static readonly SplitPreTokenizer Words = new(Gpt2WordPattern.Instance, SplitBehavior.Isolated, invert: false);

    /// <summary>The same cuts, with the characters left as they are.</summary>
    public ByteLevelPreTokenizer WithoutSpelling() => new(addPrefixSpace, useRegex, spellBytes: false);

    public override void Apply(PreTokenizedText text)
    {
        if (addPrefixSpace)
            AddPrefixSpaces(text);
        if (useRegex)
            Words.Apply(text);
        if (spellBytes)
            SpellBytes(text);
    }

    private static void AddPrefixSpaces(PreTokenizedText text)
    {
        ReadOnlySpan<char> old = text.Text.Text;
        bool needed = false;
        foreach ((int start, _) in text.Pieces)
            needed |= old[start] != ' ';
        if (!needed)
            return;
        TextRewriter rewriter = new(text.Text);
        List<(int Start, int End)> next = text.NextPieces();
        foreach ((int start, int end) in text.Pieces)
        {
            int begin = rewriter.Length;
            rewriter.BeginPiece(start);
            if (old[start] != ' ')
                rewriter.InsertBefore(new Rune(' '));
            rewriter.CopyTo(end);
            next.Add((begin, rewriter.Length));
        }
        rewriter.Finish();
        text.Take(next);
    }

    private static void SpellBytes(PreTokenizedText text)
    {
        TextRewriter rewriter = new(text.Text);
        List<(int Start, int End)> next = text.NextPieces();
        ReadOnlySpan<char> old = text.Text.Text;
        foreach ((int start, int end) in text.Pieces)
        {
            int begin = rewriter.Length;
            rewriter.BeginPiece(start);
            rewriter.SpellBytes(old[start..end]);
            next.Add((begin, rewriter.Length));
        }
        rewriter.Finish();
        text.Take(next);
    }
}
