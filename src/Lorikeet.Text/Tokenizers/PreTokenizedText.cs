namespace Lorikeet.Text;

/// <summary>A text and the pieces that it has been cut into so far.</summary>
internal sealed class PreTokenizedText
{
    /// <summary>Longer lists are not kept for the next text.</summary>
    private const int LargestKept = 1 << 19;

    [ThreadStatic]
    private static PreTokenizedText? s_spare;

    private List<(int Start, int End)> _spare = [];
    private AlignedText? _text;

    /// <summary>The text that the pieces are ranges of.</summary>
    public AlignedText Text => _text!;

    /// <summary>The pieces in order; none is empty.</summary>
    public List<(int Start, int End)> Pieces { get; private set; } = [];

    /// <summary>Begins with one piece, perhaps reusing an object that this thread has returned.</summary>
    public static PreTokenizedText Rent(AlignedText text, int start, int end)
    {
        PreTokenizedText pieces = s_spare ?? new();
        s_spare = null;
        pieces._text = text;
        pieces.Pieces.Clear();
        if (start < end)
            pieces.Pieces.Add((start, end));
        return pieces;
    }

    /// <summary>Keeps the object for the next text.</summary>
    public void Return()
    {
        _text = null;
        if (Pieces.Capacity <= LargestKept && _spare.Capacity <= LargestKept)
            s_spare = this;
    }

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
