namespace Lorikeet.Text;

/// <summary>A text and the pieces that it has been cut into so far.</summary>
internal sealed class PreTokenizedText(AlignedText text, int start, int end)
{
    private List<(int Start, int End)> _spare = [];

    /// <summary>The text that the pieces are ranges of.</summary>
    public AlignedText Text { get; } = text;

    /// <summary>The pieces in order; none is empty.</summary>
    public List<(int Start, int End)> Pieces { get; private set; } = start < end ? [(start, end)] : [];

    /// <summary>Hands out an empty list for the next pieces; <see cref="Take"/> puts it in place.</summary>
    public List<(int Start, int End)> NextPieces()
    {
        _spare.Clear();
        return _spare;
    }

    /// <summary>Replaces the pieces.</summary>
    public void Take(List<(int Start, int End)> pieces)
    {
        _spare = Pieces;
        Pieces = pieces;
    }
}
