using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Tests;

/// <summary>Memory that ends where the next page must not be touched: a kernel that reads or writes one byte too far ends the process.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3, PrivateAnonymous = 0x22;

    private readonly void* _pages;
    private readonly nuint _bytes;

    public GuardedMemory(int bytes)
    {
        int page = Environment.SystemPageSize;
        int pages = (bytes + page - 1) / page;
        _bytes = (nuint)((pages + 1) * page);
        _pages = Map(null, _bytes, ReadWrite, PrivateAnonymous, -1, 0);
        ((nint)_pages).ShouldNotBe(-1);
        Protect((byte*)_pages + (nint)pages * page, (nuint)page, 0).ShouldBe(0);
        Data = (byte*)_pages + (nint)pages * page - bytes;
    }

    public byte* Data { get; }

    public void Dispose() => _ = Unmap(_pages, _bytes);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
