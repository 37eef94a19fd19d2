using System.Buffers;

namespace Lorikeet.Text;

/// <summary>A text as SentencePiece rewrote it, with the place in the original where each unit begins. Its arrays are borrowed.</summary>
internal sealed class NormalizedText(int capacity) : IDisposable
{
    private char[] _chars = ArrayPool<char>.Shared.Rent(capacity + 8);
    private int[] _origins = ArrayPool<int>.Shared.Rent(capacity + 8);

    /// <summary>Number of units.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<char> Text => _chars.AsSpan(0, Length);

    /// <summary>Where each unit begins in the original, and behind them where the last one ends.</summary>
    public ReadOnlySpan<int> Origins => _origins.AsSpan(0, Length + 1);

    /// <summary>Where the unit added last begins in the original.</summary>
    public int LastOrigin => _origins[Length - 1];

    public bool EndsWith(char c) => Length > 0 && _chars[Length - 1] == c;

    public void Add(char c, int origin)
    {
        if (Length + 1 >= Math.Min(_chars.Length, _origins.Length))
            Grow();
        _chars[Length] = c;
        _origins[Length++] = origin;
    }

    public void RemoveLast() => Length--;

    /// <summary>Says where the last unit ends.</summary>
    public void Finish(int end) => _origins[Length] = end;

    public void Dispose()
    {
        ArrayPool<char>.Shared.Return(_chars);
        ArrayPool<int>.Shared.Return(_origins);
    }

    private void Grow()
    {
        char[] chars = ArrayPool<char>.Shared.Rent(2 * _chars.Length);
        int[] origins = ArrayPool<int>.Shared.Rent(2 * _chars.Length);
        _chars.AsSpan(0, Length).CopyTo(chars);
        _origins.AsSpan(0, Length).CopyTo(origins);
        Dispose();
        _chars = chars;
        _origins = origins;
    }
}
