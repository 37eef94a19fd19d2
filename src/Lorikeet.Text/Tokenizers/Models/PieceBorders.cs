namespace Lorikeet.Text;

/// <summary>
/// Places where a text may be cut without changing what merging makes of it: between two characters that stand side by side in no token.
/// Known for pairs of ASCII characters and before the mark that stands for a blank; anywhere else the answer is no.
/// </summary>
internal sealed class PieceBorders
{
    private const char Mark = '\u2581';

    private readonly bool[] _neighbours = new bool[128 * 128];
    private readonly bool _markStandsInside;

    /// <summary>Learns which characters stand side by side.</summary>
    /// <param name="tokens">All tokens that merging can make.</param>
    /// <param name="isKnown">Whether a character by itself is a token; one that is not is never cut off.</param>
    public PieceBorders(IEnumerable<string> tokens, Func<char, bool> isKnown)
    {
        foreach (string token in tokens)
        {
            for (int i = 1; i < token.Length; i++)
            {
                if (token[i - 1] < 128 && token[i] < 128)
                    _neighbours[token[i - 1] * 128 + token[i]] = true;
                _markStandsInside |= token[i] == Mark && token[i - 1] != Mark;
            }
        }
        _markStandsInside |= !isKnown(Mark);
        for (int c = 0; c < 128; c++)
        {
            if (isKnown((char)c))
                continue;
            for (int other = 0; other < 128; other++)
                _neighbours[c * 128 + other] = _neighbours[other * 128 + c] = true;
        }
    }

    /// <summary>Where the stretch that begins at a place ends.</summary>
    public int EndOfStretch(ReadOnlySpan<char> text, int start)
    {
        for (int i = start + 1; i < text.Length; i++)
        {
            char previous = text[i - 1];
            char next = text[i];
            if (next < 128 ? previous < 128 && !_neighbours[previous * 128 + next] : next == Mark && previous != Mark && !_markStandsInside)
                return i;
        }
        return text.Length;
    }
}
