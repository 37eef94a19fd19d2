using System.Text;

namespace Lorikeet.Text;

/// <summary><c>UnicodeScripts</c>: cuts where the script changes; the Japanese syllabaries count as Han, a blank as any script.</summary>
internal sealed class ScriptPreTokenizer : CuttingPreTokenizer
{
    private const int ProlongedSoundMark = 0x30FC;

    private readonly int _han = Scripts.Han;
    private readonly int _hiragana = Scripts.Hiragana;
    private readonly int _katakana = Scripts.Katakana;

    protected override void Cut(ReadOnlySpan<char> piece, int offset, List<(int Start, int End)> parts)
    {
        int start = 0;
        int last = Scripts.None;
        for (int at = 0; at < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[at..], out Rune rune, out int units);
            int script = rune.Value == ' ' ? Scripts.None : rune.Value == ProlongedSoundMark ? _han : Scripts.Of(rune.Value);
            if (script != Scripts.None)
            {
                if (script == _hiragana || script == _katakana)
                    script = _han;
                if (script != last)
                {
                    // what comes before the first script, blanks only, is left out
                    if (last != Scripts.None)
                        parts.Add((offset + start, offset + at));
                    start = at;
                }
                last = script;
            }
            at += units;
        }
        if (last != Scripts.None)
            parts.Add((offset + start, offset + piece.Length));
    }
}
