using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// A block of memory to read between the passes of a measurement, so that what memory gave and what the passes got are of the same moments: other work on a
/// machine changes its bandwidth from second to second.
/// </summary>
public sealed unsafe class ReadProbe : IDisposable
{
    private readonly long _bytes;
    private byte* _memory;

    /// <summary>Takes the block.</summary>
    /// <param name="bytes">As many as a pass reads.</param>
    public ReadProbe(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 4096);
        _bytes = bytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        MachinePeak.Touch(_memory, bytes);
    }

    /// <summary>Reads the block once with all threads of the <see cref="ComputePool"/>.</summary>
    /// <returns>Seconds.</returns>
    public double Read()
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        long start = Stopwatch.GetTimestamp();
        MachinePeak.ReadOnce(_memory, _bytes);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
