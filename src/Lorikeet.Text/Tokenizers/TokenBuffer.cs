using System.Runtime.CompilerServices;

namespace Lorikeet.Text;

/// <summary>Collects the tokens of one text: numbers and where each lies in the original.</summary>
internal sealed class TokenBuffer
{
    /// <summary>A larger buffer is not kept for the next text.</summary>
    private const int LargestKept = 1 << 20;

    [ThreadStatic]
    private static TokenBuffer? s_spare;

    private int[] _ids = new int[256];
    private (int Start, int End)[] _offsets = new (int, int)[256];
    private AlignedText? _text;
    private int _pieceStart;

    /// <summary>Number of tokens so far.</summary>
    public int Count { get; private set; }

    /// <summary>Texts of tokens that differ from the vocabulary's spelling, by position.</summary>
    public Dictionary<int, string>? Texts { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    public Span<(int Start, int End)> Offsets => _offsets.AsSpan(0, Count);

    /// <summary>An empty buffer, perhaps one that was returned by this thread.</summary>
    public static TokenBuffer Rent()
    {
        TokenBuffer buffer = s_spare ?? new();
        s_spare = null;
        buffer.Count = 0;
        buffer.Texts = null;
        return buffer;
    }

    /// <summary>Keeps the buffer for the next text; its spans must not be used any more.</summary>
    public void Return()
    {
        _text = null;
        if (_ids.Length <= LargestKept)
            s_spare = this;
    }

    /// <summary>Positions given to <see cref="AddInPiece"/> count from here on from <paramref name="start"/> in <paramref name="text"/>.</summary>
    public void BeginPiece(AlignedText text, int start)
    {
        _text = text;
        _pieceStart = start;
    }

    /// <summary>Adds a token with its place in the current piece, in UTF-16 units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddInPiece(int id, int start, int end)
    {
        (int from, int to) = _text!.OriginalRange(_pieceStart + start, _pieceStart + end);
        Add(id, from, to);
    }

    /// <summary>Adds a token with its place in the original text.</summary>
    public void Add(int id, int start, int end)
    {
        if (Count == _ids.Length)
        {
            Array.Resize(ref _ids, 2 * Count);
            Array.Resize(ref _offsets, 2 * Count);
        }
        _ids[Count] = id;
        _offsets[Count++] = (start, end);
    }

    /// <summary>Gives the token added last a text of its own.</summary>
    public void SetText(string text) => (Texts ??= [])[Count - 1] = text;

    /// <summary>Moves the end of the token added last.</summary>
    public void ExtendLast(int end) => _offsets[Count - 1].End = end;

    /// <summary>The text given to the token added last, or null.</summary>
    public string? LastText => Texts is not null && Texts.TryGetValue(Count - 1, out string? text) ? text : null;
}
