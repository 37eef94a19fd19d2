using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>A block of native memory, aligned to a cache line, freed with its last user.</summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    private byte* _pointer;

    /// <summary>Allocates; the contents are zero where <paramref name="zeroed"/>, else whatever was there.</summary>
    public NativeBuffer(long bytes, bool zeroed = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Length = bytes;
        _pointer = (byte*)LargeMemory.Allocate(bytes, zeroed);
        GC.AddMemoryPressure(Math.Max(bytes, 64));
    }

    /// <summary>Frees memory that nobody disposed of.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>The whole block.</summary>
    public NativeBytes Bytes => new(this, _pointer, Length);

    /// <summary>The block as writable memory.</summary>
    /// <exception cref="OverflowException">It is longer than a span can hold.</exception>
    public Span<byte> Span => new(_pointer, checked((int)Length));

    /// <summary>A part as writable memory, also where the whole is longer than a span can hold.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside.</exception>
    public Span<byte> Writable(long offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"bytes {offset}..{offset + length} of {Length}");
        return new Span<byte>(_pointer + offset, length);
    }

    internal byte* Pointer => _pointer;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer == null)
            return;
        LargeMemory.Free(_pointer, Length);
        _pointer = null;
        GC.RemoveMemoryPressure(Math.Max(Length, 64));
    }
}
