using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Lorikeet.Tensors;

/// <summary>
/// Memory that lives in a file of its own, zero at first: for what is used rarely and is larger than it deserves room. Whoever has worked on a part
/// releases it, and then it takes room on the disk only. The file has no use for anybody else and goes with this object; on Unix it has no name from
/// the beginning, so that a process that is killed leaves nothing either.
/// </summary>
public sealed unsafe partial class PagedFile : IDisposable
{
    private const int Synchronous = 4, SynchronousMac = 16, DontNeed = 4;

    private readonly FileStream _stream;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _pointer;

    private PagedFile(FileStream stream, MemoryMappedFile file, long length)
    {
        (_stream, _file, Length) = (stream, file, length);
        _view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.ReadWrite);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
    }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>All of it.</summary>
    public NativeBytes Bytes => new(this, _pointer, Length);

    /// <summary>Makes such a file in a folder, which is made where it is not there. All of its room on the disk is taken at once.</summary>
    /// <exception cref="UnavailableException">The disk is full, or the folder takes no files.</exception>
    public static PagedFile Create(string folder, long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        string path = Path.Combine(folder, $".paged-{Guid.NewGuid():N}.tmp");
        FileStream? stream = null;
        try
        {
            Directory.CreateDirectory(folder);
            stream = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                // a disk that is full says so now, not when a page is written
                PreallocationSize = length,
                Options = FileOptions.DeleteOnClose,
                BufferSize = 0,
            });
            stream.SetLength(length);
            MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            PagedFile paged = new(stream, file, length);
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
            return paged;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            stream?.Dispose();
            throw new UnavailableException($"{folder}: no file of {length / 1e6:N0} MB can be made there for what shall not take memory ({e.Message}); make room, or choose another folder", e);
        }
    }

    /// <summary>Gives a part's memory back. It can be read and written again, at the price of reading the file where the system has taken it from its cache.</summary>
    public void Release(NativeBytes part)
    {
        ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
        if (part.Length == 0)
            return;
        long page = Environment.SystemPageSize, from = part.Pointer - _pointer, to = from + part.Length;
        if (from < 0 || to > Length)
            throw new ArgumentException($"{part.Length} bytes that do not lie in this file");
        // whole pages; neighbours that share one lose nothing by it
        from = from / page * page;
        to = Math.Min((to + page - 1) / page * page, Length);
        nint address = (nint)(_pointer + from);
        if (OperatingSystem.IsWindows())
        {
            // pages that are not locked leave the working set when they are unlocked
            if (!FlushViewOfFile(address, (nuint)(to - from)))
                throw Failed("FlushViewOfFile");
            _ = VirtualUnlock(address, (nuint)(to - from));
        }
        else if (!OperatingSystem.IsLinux() && Sync(address, (nuint)(to - from), OperatingSystem.IsMacOS() ? SynchronousMac : Synchronous) != 0)
        {
            throw Failed("msync");
        }
        else if (Advise(address, (nuint)(to - from), DontNeed) != 0)
        {
            // on Linux pages that were written are the file's, and reach the disk when the system finds time: nobody waits
            throw Failed("madvise");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_view.SafeMemoryMappedViewHandle.IsClosed)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        _stream.Dispose();
    }

    private static UnavailableException Failed(string call) =>
        new($"pages of a file could not be released ({call}: {Marshal.GetLastPInvokeErrorMessage()})");

    [LibraryImport("libc", EntryPoint = "msync", SetLastError = true)]
    private static partial int Sync(nint address, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushViewOfFile(nint address, nuint length);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualUnlock(nint address, nuint length);
}
