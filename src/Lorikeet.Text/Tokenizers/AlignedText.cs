namespace Lorikeet.Text;

/// <summary>
/// A part of an original text in its present, perhaps normalised, form. Each UTF-16 unit knows the characters of the original
/// that it came from, so that tokens can be traced back. An untouched part holds no tables at all.
/// </summary>
internal sealed class AlignedText
{
    private readonly string _original;
    private readonly int _origin;
    private char[]? _chars;
    private int[]? _starts;
    private int[]? _ends;

    public AlignedText(string original, int start, int end)
    {
        _original = original;
        _origin = start;
        Length = end - start;
    }

    /// <summary>Number of UTF-16 units of the present form.</summary>
    public int Length { get; private set; }

    /// <summary>Where this part begins in the original.</summary>
    public int Origin => _origin;

    /// <summary>The present form.</summary>
    public ReadOnlySpan<char> Text => _chars is null ? _original.AsSpan(_origin, Length) : _chars.AsSpan(0, Length);

    /// <summary>The characters of the original that the range [start, end) of the present form came from; it holds whole characters.</summary>
    public (int Start, int End) OriginalRange(int start, int end)
    {
        if (start >= end)
        {
            int at = _starts is null ? _origin + start : start < Length ? _starts[start] : Length > 0 ? _ends![Length - 1] : _origin;
            return (at, at);
        }
        if (_starts is not null)
            return (_starts[start], _ends![end - 1]);
        return (_origin + start, _origin + end);
    }

    /// <summary>Copies a range of the present form and where its units came from.</summary>
    public void CopyTo(int start, int count, Span<char> chars, Span<int> starts, Span<int> ends)
    {
        Text.Slice(start, count).CopyTo(chars);
        if (_starts is not null)
        {
            _starts.AsSpan(start, count).CopyTo(starts);
            _ends.AsSpan(start, count).CopyTo(ends);
            return;
        }
        for (int i = 0; i < count; i++)
        {
            starts[i] = _origin + start + i;
            ends[i] = _origin + start + i + 1;
            if (char.IsSurrogate(chars[i]))
                (starts[i], ends[i]) = (OriginalStart(start + i), OriginalEnd(start + i));
        }
    }

    /// <summary>Where the unit's character begins in the original.</summary>
    public int OriginalStart(int index) => _starts is null ? _origin + FloorOfCharacter(index) : _starts[index];

    /// <summary>Where the unit's character ends in the original.</summary>
    public int OriginalEnd(int index) => _ends is null ? _origin + CeilingOfCharacter(index + 1) : _ends[index];

    /// <summary>A part of the present form as a text of its own.</summary>
    public AlignedText Slice(int start, int end)
    {
        if (_chars is null)
            return new(_original, _origin + start, _origin + end);
        AlignedText slice = new(_original, _starts![start], _starts[start]);
        slice.Replace(_chars[start..end], _starts[start..end], _ends![start..end], end - start);
        return slice;
    }

    /// <summary>Takes over a new form.</summary>
    public void Replace(char[] chars, int[] starts, int[] ends, int length)
    {
        _chars = chars;
        _starts = starts;
        _ends = ends;
        Length = length;
    }

    private int FloorOfCharacter(int index)
    {
        int at = _origin + index;
        return index > 0 && char.IsLowSurrogate(_original[at]) && char.IsHighSurrogate(_original[at - 1]) ? index - 1 : index;
    }

    private int CeilingOfCharacter(int index)
    {
        int at = _origin + index;
        return index < Length && char.IsHighSurrogate(_original[at - 1]) && char.IsLowSurrogate(_original[at]) ? index + 1 : index;
    }
}
