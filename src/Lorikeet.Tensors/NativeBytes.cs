namespace Lorikeet.Tensors;

/// <summary>A stretch of native memory (a block or a mapped file) that may be longer than 2 GB. It keeps its owner alive.</summary>
public readonly unsafe struct NativeBytes
{
    private readonly object? _owner;
    private readonly byte* _pointer;

    internal NativeBytes(object owner, byte* pointer, long length)
    {
        _owner = owner;
        _pointer = pointer;
        Length = length;
    }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    internal byte* Pointer => _pointer;

    internal object? Owner => _owner;

    /// <summary>A part.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside.</exception>
    public NativeBytes Slice(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"bytes {offset}..{offset + length} of {Length}");
        return new NativeBytes(_owner!, _pointer + offset, length);
    }

    /// <summary>The bytes as a span.</summary>
    /// <exception cref="OverflowException">There are more than a span can hold.</exception>
    public ReadOnlySpan<byte> Span => new(_pointer, checked((int)Length));

    /// <summary>
    /// Says that nobody will read the bytes soon: whole pages of a mapped file among them take no memory of this process until then. Other memory stays as it is.
    /// </summary>
    public void Release() => (_owner as MappedFile)?.Release(_pointer, Length);

    /// <summary>Writes the bytes to a stream, in pieces.</summary>
    public void CopyTo(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        const int piece = 1 << 24;
        for (long at = 0; at < Length; at += piece)
            stream.Write(new ReadOnlySpan<byte>(_pointer + at, (int)Math.Min(piece, Length - at)));
        GC.KeepAlive(_owner);
    }
}
