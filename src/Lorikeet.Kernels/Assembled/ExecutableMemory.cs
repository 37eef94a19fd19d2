using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels.Assembled;

/// <summary>
/// Machine code in pages of its own, for as long as the process lives. The pages are writable while the code is copied and executable from then
/// on, never both: a fault that lets a stranger write memory gives him nothing to run.
/// </summary>
internal static unsafe partial class ExecutableMemory
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int Private = 2, AnonymousLinux = 0x20, AnonymousBsd = 0x1000;
    private const uint Commit = 0x1000, Reserve = 0x2000, ReleaseAll = 0x8000, PageReadWrite = 4, PageExecuteRead = 0x20;

    /// <summary>Where a copy of the code stands, ready to be called.</summary>
    /// <exception cref="PlatformNotSupportedException">The system refuses to let this process run code that it has written.</exception>
    public static nint Publish(ReadOnlySpan<byte> code)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint bytes = ((nuint)code.Length + page - 1) / page * page;
        try
        {
            return OperatingSystem.IsWindows() ? PublishWindows(code, bytes) : PublishUnix(code, bytes);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new PlatformNotSupportedException($"no way to make code executable was found: {e.Message}", e);
        }
    }

    private static nint PublishUnix(ReadOnlySpan<byte> code, nuint bytes)
    {
        nint memory = Map(0, bytes, Read | Write, Private | (OperatingSystem.IsLinux() ? AnonymousLinux : AnonymousBsd), -1, 0);
        if (memory == -1)
            throw Refused("mmap");
        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        if (Protect(memory, bytes, Read | Execute) == 0)
            return memory;
        PlatformNotSupportedException refused = Refused("mprotect");
        _ = Unmap(memory, bytes);
        throw refused;
    }

    private static nint PublishWindows(ReadOnlySpan<byte> code, nuint bytes)
    {
        nint memory = VirtualAlloc(0, bytes, Commit | Reserve, PageReadWrite);
        if (memory == 0)
            throw Refused("VirtualAlloc");
        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        if (VirtualProtect(memory, bytes, PageExecuteRead, out _) && FlushInstructionCache(-1, memory, bytes))
            return memory;
        PlatformNotSupportedException refused = Refused("VirtualProtect");
        _ = VirtualFree(memory, 0, ReleaseAll);
        throw refused;
    }

    private static PlatformNotSupportedException Refused(string call) =>
        new($"the system does not let this process make code executable ({call}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message})");

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint length, uint protection, out uint before);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushInstructionCache(nint process, nint address, nuint length);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint address, nuint length, uint type);
}
