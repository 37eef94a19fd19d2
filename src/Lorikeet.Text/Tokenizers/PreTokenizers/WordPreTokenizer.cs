using System.Text;

namespace Lorikeet.Text;

/// <summary><c>Whitespace</c>: runs of word characters and runs of anything else that is no blank (<c>\w+|[^\w\s]+</c>).</summary>
internal sealed class WordPreTokenizer : CuttingPreTokenizer
{
    protected override void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts)
    {
        int start = 0;
        int kind = 0;
        for (int at = 0; at < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[at..], out Rune rune, out int units);
            int next = Characters.IsBlank(rune) ? 0 : Characters.IsWord(rune) ? 1 : 2;
            if (next != kind)
            {
                if (kind != 0)
                    parts.Add((offset + start, offset + at));
                start = at;
                kind = next;
            }
            at += units;
        }
        if (kind != 0)
            parts.Add((offset + start, offset + piece.Length));
    }
}
