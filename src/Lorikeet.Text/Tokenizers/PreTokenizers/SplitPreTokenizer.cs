namespace Lorikeet.Text;

/// <summary><c>Split</c>: cuts at the matches of a pattern, or at what lies between them where inverted.</summary>
internal sealed class SplitPreTokenizer(TextPattern pattern, SplitBehavior behavior, bool invert) : CuttingPreTokenizer
{
    protected override void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts)
    {
        PieceCollector collector = new(parts, behavior);
        PatternMatches matches = new(pattern);
        int done = 0;
        while (matches.Next(piece, out int start, out int end))
        {
            if (done != start)
                collector.Add(offset + done, offset + start, invert);
            collector.Add(offset + start, offset + end, !invert);
            done = end;
        }
        if (done != piece.Length)
            collector.Add(offset + done, offset + piece.Length, invert);
        collector.Finish();
    }
}
