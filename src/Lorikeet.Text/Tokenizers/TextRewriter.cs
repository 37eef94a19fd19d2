using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Writes the next form of an <see cref="AlignedText"/> while keeping its alignment: a character that replaces others takes
/// the place of the first of them, an inserted one shares the place of the character before it.
/// </summary>
internal sealed class TextRewriter
{
    private readonly AlignedText _source;
    private char[] _chars;
    private int[] _starts;
    private int[] _ends;
    private int _read;
    private int _floor;

    public TextRewriter(AlignedText source)
    {
        _source = source;
        int capacity = source.Length + (source.Length >> 3) + 8;
        _chars = new char[capacity];
        _starts = new int[capacity];
        _ends = new int[capacity];
    }

    /// <summary>Number of units written.</summary>
    public int Length { get; private set; }

    /// <summary>Begins to read at a unit of the source; inserted characters never align before it.</summary>
    public void BeginPiece(int start)
    {
        _read = start;
        _floor = start;
    }

    /// <summary>Writes a character that stands for the next one of the source and for <paramref name="swallowed"/> more after it.</summary>
    public void Replace(Rune rune, int swallowed = 0)
    {
        int at = Math.Min(_read, _source.Length - 1);
        Write(rune, _source.OriginalStart(at), _source.OriginalEnd(at));
        Skip(1 + swallowed);
    }

    /// <summary>Writes a character that the source did not have.</summary>
    public void Insert(Rune rune)
    {
        if (_read > _floor)
            Write(rune, _source.OriginalStart(_read - 1), _source.OriginalEnd(_read - 1));
        else
        {
            int origin = _source.Length == 0 || _floor == 0 ? _source.Origin : _source.OriginalStart(Math.Min(_floor, _source.Length - 1));
            Write(rune, origin, origin);
        }
    }

    /// <summary>Writes a character in front of the next one of the source, whose place it shares.</summary>
    public void InsertBefore(Rune rune)
    {
        if (_read < _source.Length)
            Write(rune, _source.OriginalStart(_read), _source.OriginalEnd(_read));
        else
            Insert(rune);
    }

    /// <summary>
    /// Writes a character by the count that normalisation forms carry: positive inserts, 0 replaces one, -n replaces 1 + n.
    /// </summary>
    public void Write(Rune rune, int change)
    {
        if (change > 0)
            Insert(rune);
        else
            Replace(rune, -change);
    }

    /// <summary>Writes the next characters of the source by their bytes in the <see cref="ByteAlphabet"/>.</summary>
    public void SpellBytes(ReadOnlySpan<char> characters)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in characters.EnumerateRunes())
        {
            int count = rune.EncodeToUtf8(utf8);
            for (int i = 0; i < count; i++)
                Write(new Rune(ByteAlphabet.CharacterOf(utf8[i])), i);
        }
    }

    /// <summary>Leaves out characters of the source.</summary>
    public void Skip(int characters)
    {
        ReadOnlySpan<char> text = _source.Text;
        for (; characters > 0 && _read < text.Length; characters--)
            _read += CharacterLength(text, _read);
    }

    /// <summary>Copies the source up to a unit.</summary>
    public void CopyTo(int end)
    {
        int count = end - _read;
        if (count <= 0)
            return;
        Reserve(count);
        _source.CopyTo(_read, count, _chars.AsSpan(Length), _starts.AsSpan(Length), _ends.AsSpan(Length));
        Length += count;
        _read = end;
    }

    /// <summary>Leaves the source out up to a unit.</summary>
    public void SkipTo(int end) => _read = end;

    /// <summary>Puts the new form in the place of the old one.</summary>
    public void Finish() => _source.Replace(_chars, _starts, _ends, Length);

    /// <summary>Units of the character at an index: 2 for a surrogate pair.</summary>
    public static int CharacterLength(ReadOnlySpan<char> text, int index) =>
        char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]) ? 2 : 1;

    private void Write(Rune rune, int start, int end)
    {
        Reserve(2);
        int units = rune.EncodeToUtf16(_chars.AsSpan(Length));
        for (int i = 0; i < units; i++)
        {
            _starts[Length + i] = start;
            _ends[Length + i] = end;
        }
        Length += units;
    }

    private void Reserve(int count)
    {
        if (Length + count <= _chars.Length)
            return;
        int capacity = Math.Max(2 * _chars.Length, Length + count);
        Array.Resize(ref _chars, capacity);
        Array.Resize(ref _starts, capacity);
        Array.Resize(ref _ends, capacity);
    }
}
