using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Writes a file so that nobody ever sees half of it: the bytes go to a file aside in the same folder, are flushed to the disk, and the file is
/// renamed into place. A reader finds the old file or the new one; a failure leaves the old one and removes what was begun.
/// </summary>
public static class AtomicFile
{
    /// <summary>How the names of unfinished files and folders end. They begin with a dot and the final name.</summary>
    public const string AsideSuffix = ".unfinished";

    private static int asides;

    /// <summary>Writes <paramref name="path"/>, replacing what is there.</summary>
    /// <param name="path">Final place. Its folder is made where it is missing.</param>
    /// <param name="write">Receives the stream; when it throws, nothing changes at <paramref name="path"/>.</param>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    /// <exception cref="UnavailableException">The disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string full = Path.GetFullPath(path);
        string aside = AsideOf(full);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            using (FileStream stream = new(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, full, overwrite: true);
        }
        catch (Exception e)
        {
            TryDelete(aside);
            if (WriteFailure.Is(e))
                throw WriteFailure.Of(path, aside, e);
            throw;
        }
    }

    /// <summary>Says before any work is done what <see cref="Write"/> would say.</summary>
    /// <param name="path">Final place.</param>
    /// <param name="name">What the message calls it: an option and its value; null for the path.</param>
    /// <exception cref="InputException">No file can be written there.</exception>
    public static void Check(string path, string? name = null)
    {
        WriteFailure.Refuse(name ?? path, Directory.Exists(path) ? "it is a folder" : WriteFailure.Obstacle(path));
    }

    /// <summary>Writes text as UTF-8 without a byte-order mark.</summary>
    /// <exception cref="InputException">The folder cannot be written, or the disk is full.</exception>
    public static void WriteText(string path, string text) => WriteBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Copies a file.</summary>
    /// <exception cref="InputException">The source cannot be read, the folder cannot be written, or the disk is full.</exception>
    public static void Copy(string source, string path) => Write(path, stream =>
    {
        using FileStream from = File.OpenRead(source);
        from.CopyTo(stream);
    });

    /// <summary>Writes bytes.</summary>
    /// <exception cref="InputException">The folder cannot be written, or the disk is full.</exception>
    public static void WriteBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    /// <summary>
    /// Removes unfinished files and folders that killed processes left in a folder. Only its owner may call this: it does not know which of them
    /// another process is writing at this moment.
    /// </summary>
    /// <returns>How many were removed.</returns>
    public static int RemoveUnfinished(string folder)
    {
        if (!Directory.Exists(folder))
            return 0;
        int removed = 0;
        foreach (string path in Directory.EnumerateFileSystemEntries(folder, ".*" + AsideSuffix))
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
            removed++;
        }
        return removed;
    }

    /// <summary>Unfinished files and folders that killed processes left of a final place: those whose process is running no more.</summary>
    public static IReadOnlyList<string> LeftOf(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string folder = Path.GetDirectoryName(full) ?? full, begin = $".{Path.GetFileName(full)}.";
        return !Directory.Exists(folder) ? []
            : [.. Directory.EnumerateFileSystemEntries(folder, "*" + AsideSuffix).Where(left => Path.GetFileName(left) is var name && name.StartsWith(begin, StringComparison.Ordinal) && HasEnded(name[begin.Length..]))];
    }

    // what follows the final name begins with the process
    private static bool HasEnded(string end)
    {
        if (!int.TryParse(end.Split('-')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int id))
            return false;
        try
        {
            Process.GetProcessById(id).Dispose();
            return false;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    /// <summary>A fresh name beside a final one.</summary>
    internal static string AsideOf(string path) => Path.Combine(
        Path.GetDirectoryName(path)!,
        $".{Path.GetFileName(path)}.{Environment.ProcessId:x}-{Interlocked.Increment(ref asides):x}-{Random.Shared.Next():x8}{AsideSuffix}");

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // the first failure is the one to report
        }
    }
}
