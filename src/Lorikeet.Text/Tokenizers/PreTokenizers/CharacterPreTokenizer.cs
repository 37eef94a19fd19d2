using System.Text;

namespace Lorikeet.Text;

/// <summary>A pre-tokenizer that cuts at single characters.</summary>
internal abstract class CharacterPreTokenizer(SplitBehavior behavior) : CuttingPreTokenizer
{
    private bool[]? _asciiMatches;

    protected sealed override void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts)
    {
        bool[] ascii = _asciiMatches ??= [.. Enumerable.Range(0, 128).Select(c => IsMatch(new Rune(c)))];
        PieceCollector collector = new(parts, behavior);
        int done = 0;
        for (int at = 0; at < piece.Length;)
        {
            char c = piece[at];
            int units = 1;
            if (c < 128 ? !ascii[c] : !IsMatchAt(piece, at, out units))
            {
                at += units;
                continue;
            }
            if (done < at)
                collector.Add(offset + done, offset + at, isMatch: false);
            collector.Add(offset + at, offset + at + units, isMatch: true);
            at += units;
            done = at;
        }
        if (done < piece.Length)
            collector.Add(offset + done, offset + piece.Length, isMatch: false);
        collector.Finish();
    }

    protected abstract bool IsMatch(Rune rune);

    private bool IsMatchAt(ReadOnlySpan<char> piece, int at, out int units)
    {
        Rune.DecodeFromUtf16(piece[at..], out Rune rune, out units);
        return IsMatch(rune);
    }
}
