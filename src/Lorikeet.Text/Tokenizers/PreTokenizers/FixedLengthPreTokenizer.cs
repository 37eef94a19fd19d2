namespace Lorikeet.Text;

/// <summary><c>FixedLength</c>: pieces of a number of characters.</summary>
internal sealed class FixedLengthPreTokenizer(int length) : CuttingPreTokenizer
{
    protected override void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts)
    {
        int start = 0;
        int characters = 0;
        for (int at = 0; at < piece.Length;)
        {
            at += TextRewriter.CharacterLength(piece, at);
            if (++characters < length && at < piece.Length)
                continue;
            parts.Add((offset + start, offset + at));
            start = at;
            characters = 0;
        }
    }
}
