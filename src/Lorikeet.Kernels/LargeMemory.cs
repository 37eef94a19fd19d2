using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Memory by the block, of which the large ones are pages of the system's own. A C library that has seen a large block freed keeps the next ones of that size
/// in its heap (glibc up to 32 MB), where they stay after they were freed as well: half a model's weights, once they had moved.
/// </summary>
public static unsafe partial class LargeMemory
{
    /// <summary>From so many bytes on, a block is pages of its own.</summary>
    public const long Smallest = 1 << 18;

    private const int Read = 1, Write = 2, Private = 2, AnonymousLinux = 0x20, AnonymousBsd = 0x1000;

    /// <summary>True where a large block takes no memory before somebody writes to it, page by page.</summary>
    public static bool IsLazy => !OperatingSystem.IsWindows();

    // Windows' heap gives large blocks back by itself
    private static bool Maps(long bytes) => bytes >= Smallest && !OperatingSystem.IsWindows();

    /// <summary>Memory that begins on a page, or on a cache line where it is small.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="zeroed">The contents are zeros; else whatever was there.</param>
    /// <exception cref="OutOfMemoryException">The system has no more.</exception>
    public static void* Allocate(long bytes, bool zeroed)
    {
        if (Maps(bytes))
        {
            // zeros, and no memory before somebody writes
            nint pages = Map(0, (nuint)bytes, Read | Write, Private | (OperatingSystem.IsLinux() ? AnonymousLinux : AnonymousBsd), -1, 0);
            return pages != -1 ? (void*)pages : throw new OutOfMemoryException($"the system gives no {bytes} bytes");
        }
        nuint least = (nuint)Math.Max(bytes, 64);
        void* memory = NativeMemory.AlignedAlloc(least, 64);
        if (zeroed)
            NativeMemory.Clear(memory, least);
        return memory;
    }

    /// <summary>Gives back what <see cref="Allocate"/> gave.</summary>
    /// <param name="memory">Where it is, or null.</param>
    /// <param name="bytes">How much was asked for.</param>
    public static void Free(void* memory, long bytes)
    {
        if (Maps(bytes) && memory != null)
            _ = Unmap((nint)memory, (nuint)bytes);
        else
            NativeMemory.AlignedFree(memory);
    }

    /// <summary>Gives back to the system what the C library's heap keeps of small blocks that were freed, where it can be told to (glibc): after a model was read, tens of megabytes.</summary>
    public static void GiveBackSmall()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = TrimHeap(0);
        }
        catch (EntryPointNotFoundException)
        {
            // other C libraries have no such function
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint kept);
}
