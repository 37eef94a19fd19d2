using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Lorikeet.Tensors;

/// <summary>A file read through the operating system's page cache: shared between processes, read where touched, never copied whole.</summary>
public sealed unsafe partial class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _pointer;

    private MappedFile(string path, MemoryMappedFile? file, MemoryMappedViewAccessor? view, long length)
    {
        Path = path;
        _file = file;
        _view = view;
        Length = length;
        if (view is not null)
        {
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
            _pointer += view.PointerOffset;
        }
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>The whole file.</summary>
    public NativeBytes Bytes => new(this, _pointer, Length);

    /// <summary>Maps a file for reading.</summary>
    /// <exception cref="InputException">There is no such file, or it cannot be read.</exception>
    public static MappedFile Open(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            long length = stream.Length;
            if (length == 0)
                return new MappedFile(path, null, null, 0);
            MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            return new MappedFile(path, file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new InputException(Directory.Exists(path) ? $"{path}: is a folder, a file was expected"
                : File.Exists(path) ? $"{path}: cannot be read ({e.Message})"
                : $"{path}: there is no such file", e);
        }
    }

    /// <summary>Says that whole pages of a part will not be read soon: where the system takes such advice, they count no longer as this process's memory.</summary>
    internal void Release(byte* first, long bytes)
    {
        if (!OperatingSystem.IsLinux() || _view is null || _view.SafeMemoryMappedViewHandle.IsClosed || first < _pointer || first + bytes > _pointer + Length)
            return;
        nint page = Environment.SystemPageSize, from = ((nint)first + page - 1) & -page, to = (nint)(first + bytes) & -page;
        if (to > from)
            _ = Advise(from, to - from, DontNeed);
        GC.KeepAlive(this);
    }

    private const int DontNeed = 4;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nint length, int advice);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_view is null || _view.SafeMemoryMappedViewHandle.IsClosed)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file!.Dispose();
    }
}
