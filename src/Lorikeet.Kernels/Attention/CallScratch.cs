using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// A calling thread's own memory for what all parts of one call share. Parts keep their panels in <see cref="GemmScratch"/>, which the calling
/// thread, taking part, uses at the same time: hence two.
/// </summary>
internal sealed unsafe class CallScratch
{
    [ThreadStatic]
    private static CallScratch? _mine;

    private void* _memory;
    private long _bytes;

    /// <summary>At least <paramref name="bytes"/> bytes, 64-byte aligned, valid until this thread's next call.</summary>
    public static byte* Rent(long bytes)
    {
        CallScratch mine = _mine ??= new CallScratch();
        if (mine._bytes < bytes)
        {
            NativeMemory.AlignedFree(mine._memory);
            mine._memory = null;
            mine._bytes = 0;
            mine._memory = NativeMemory.AlignedAlloc(checked((nuint)bytes), 64);
            mine._bytes = bytes;
        }
        return (byte*)mine._memory;
    }

    /// <summary>Makes room for <paramref name="more"/> bytes behind the first <paramref name="kept"/>, which keep their contents.</summary>
    public static byte* Extend(long kept, long more)
    {
        CallScratch mine = _mine!;
        if (mine._bytes < kept + more)
        {
            mine._memory = NativeMemory.AlignedRealloc(mine._memory, checked((nuint)(kept + more)), 64);
            mine._bytes = kept + more;
        }
        return (byte*)mine._memory;
    }

    ~CallScratch() => NativeMemory.AlignedFree(_memory);
}
