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
        List<(int Start, int End)> parts = text.NextPieces();
        ReadOnlySpan<char> old = source.Text;
        PieceCollector collector = new(parts, split ? SplitBehavior.MergedWithNext : SplitBehavior.Contiguous);
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
            for (int at = start; at < end;)
            {
                int next = IndexOfMark(old[at..end]);
                int gap = next < 0 ? end - at : next;
                rewriter.CopyTo(at + gap);
                begin = Collect(ref collector, begin, rewriter.Length, isMark: false);
                at += gap;
                if (next < 0)
                    break;
                at += old[at] == ' ' ? 1 : mark.Utf16SequenceLength;
                rewriter.Replace(mark);
                begin = Collect(ref collector, begin, rewriter.Length, isMark: true);
            }
            collector.Finish();
        }
        rewriter.Finish();
        text.Take(parts);
    }

    private int IndexOfMark(ReadOnlySpan<char> text)
    {
        if (mark.IsBmp)
            return text.IndexOfAny(' ', (char)mark.Value);
        Span<char> units = stackalloc char[2];
        mark.EncodeToUtf16(units);
        int found = text.IndexOf(units);
        int blank = text.IndexOf(' ');
        return found < 0 ? blank : blank < 0 ? found : Math.Min(found, blank);
    }

    private int Collect(ref PieceCollector collector, int begin, int end, bool isMark)
    {
        if (begin < end)
            collector.Add(begin, end, split && isMark);
        return end;
    }
}
