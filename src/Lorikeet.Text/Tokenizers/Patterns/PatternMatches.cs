namespace Lorikeet.Text;

/// <summary>Walks through the matches of a pattern; an empty match directly behind another match does not count.</summary>
internal struct PatternMatches(TextPattern pattern)
{
    private int _from;
    private int _lastEnd = -1;

    /// <summary>Finds the next match in the same text.</summary>
    public bool Next(ReadOnlySpan<char> text, out int start, out int end)
    {
        while (_from <= text.Length && pattern.Find(text, _from, out start, out end))
        {
            bool empty = start == end;
            _from = !empty ? end : end < text.Length ? end + TextRewriter.CharacterLength(text, end) : end + 1;
            if (empty && _lastEnd == end)
                continue;
            _lastEnd = end;
            return true;
        }
        _from = text.Length + 1;
        start = end = text.Length;
        return false;
    }
}
