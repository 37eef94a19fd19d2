using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Metaspace</c>: writes blanks as a visible mark, puts one in front, and cuts before each mark, where asked.</summary>
internal sealed class MetaspacePreTokenizer(Rune mark, PrependScheme scheme, bool split) : PreTokenizer
{
    private static readonly Rune Blank = new(' ');

    public override void Apply(PreTokenizedText text)
    {
        AlignedText source = text.Text;
        TextRewriter rewriter = new(source);
        List<(int Start, int End)> next = text.NextPieces();
        ReadOnlySpan<char> old = source.Text;
        PieceCollector collector = new(next, split ? SplitBehavior.MergedWithNext : SplitBehavior.Contiguous);
        foreach ((int start, int end) in text.Pieces)
        {
            rewriter.BeginPiece(start);
            int begin = rewriter.Length;
            Rune.DecodeFromUtf16(old[start..end], out Rune first, out _);
            bool prepend = scheme == PrependScheme.Always || (scheme == PrependScheme.First && source.OriginalStart(start) == 0);
            if (prepend && first != Blank && first != mark)
            {
                rewriter.InsertBefore(mark);
                begin = Collect(ref collector, begin, rewriter.Length, isMark: true);
            }
            foreach (Rune rune in old[start..end].EnumerateRunes())
            {
                bool isMark = rune == Blank || rune == mark;
                if (isMark)
                    begin = Collect(ref collector, begin, rewriter.Length, isMark: false);
                rewriter.Replace(isMark ? mark : rune);
                if (isMark)
                    begin = Collect(ref collector, begin, rewriter.Length, isMark: true);
            }
            Collect(ref collector, begin, rewriter.Length, isMark: false);
            collector.Finish();
        }
        rewriter.Finish();
        text.Take(next);
    }

    private int Collect(ref PieceCollector collector, int begin, int end, bool isMark)
    {
        if (begin < end)
            collector.Add(begin, end, split && isMark);
        return end;
    }
}
