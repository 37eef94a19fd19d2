using System.Text;

namespace Lorikeet.Text;

/// <summary>A pre-tokenizer that cuts at single characters.</summary>
internal abstract class CharacterPreTokenizer(SplitBehavior behavior) : CuttingPreTokenizer
{
    protected sealed override void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts)
    {
        PieceCollector collector = new(parts, behavior);
        int done = 0;
        for (int at = 0; at < piece.Length;)
        {
            int units = 1;
            if (!Rune.TryCreate(piece[at], out Rune rune))
                Rune.DecodeFromUtf16(piece[at..], out rune, out units);
            if (IsMatch(rune))
            {
                if (done < at)
                    collector.Add(offset + done, offset + at, isMatch: false);
                collector.Add(offset + at, offset + at + units, isMatch: true);
                done = at + units;
            }
            at += units;
        }
        if (done < piece.Length)
            collector.Add(offset + done, offset + piece.Length, isMatch: false);
        collector.Finish();
    }

    protected abstract bool IsMatch(Rune rune);
}
