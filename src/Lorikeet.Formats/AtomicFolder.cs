using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>
/// Writes a folder so that nobody ever sees half of it. The files go to a folder aside, and the folder is renamed.
/// <para>
/// A new folder appears in one step. Replacing takes four: the finished folder becomes <c>.NAME.new</c>, the old one <c>.NAME.old</c>,
/// <c>.NAME.new</c> becomes <c>NAME</c>, and <c>.NAME.old</c> is removed. A process killed between the second and the third leaves no <c>NAME</c>
/// but both versions, complete; <see cref="Recover"/> finishes the exchange. Every write begins with it, and a reader that does not find a
/// folder calls it first.
/// </para>
/// </summary>
public static class AtomicFolder
{
    /// <summary>Writes a folder, replacing one of that name as a whole.</summary>
    /// <param name="path">Final place.</param>
    /// <param name="fill">
    /// Receives the path of an empty folder and writes into it by <see cref="AtomicFile"/>, which flushes each file to the disk; when it throws, nothing
    /// changes at <paramref name="path"/>.
    /// </param>
    /// <param name="hallmark">
    /// The file by which one knows what the folder is: a folder of something else is not replaced, nor one with more of the kind below it. Null replaces
    /// whatever is there.
    /// </param>
    /// <exception cref="InputException">The place cannot be written, or holds something else.</exception>
    /// <exception cref="UnavailableException">The disk is full.</exception>
    public static void Write(string path, Action<string> fill, string? hallmark = null)
    {
        ArgumentNullException.ThrowIfNull(fill);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string aside = AtomicFile.AsideOf(full);
        try
        {
            if (File.Exists(full))
                throw new InputException($"{path}: is a file; a folder is to be written there. Remove it or choose another name");
            Recover(full);
            if (hallmark is not null)
                Check(path, hallmark);
            Directory.CreateDirectory(aside);
            fill(aside);
            if (!Directory.Exists(full))
            {
                Directory.Move(aside, full);
                return;
            }
            Directory.Move(aside, NewOf(full));
            Recover(full);
        }
        catch (Exception e)
        {
            TryDelete(aside);
            if (WriteFailure.Is(e))
                throw WriteFailure.Of(path, aside, e);
            if (e is InputException inner && e.Message.Contains(aside, StringComparison.Ordinal))
                throw WriteFailure.Renamed(inner, aside, path);
            throw;
        }
    }

    /// <summary>
    /// Finishes an exchange that was interrupted: a complete new folder takes its place, and the old one goes. Does nothing where none was under way.
    /// </summary>
    /// <param name="path">The folder's final place.</param>
    public static void Recover(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string newer = NewOf(full), older = OldOf(full);
        if (Directory.Exists(newer))
        {
            if (Directory.Exists(full))
            {
                if (Directory.Exists(older))
                    Directory.Delete(older, recursive: true);
                Directory.Move(full, older);
            }
            Directory.Move(newer, full);
        }
        else if (!Directory.Exists(full) && Directory.Exists(older))
        {
            Directory.Move(older, full);
        }
        if (Directory.Exists(older))
            Directory.Delete(older, recursive: true);
    }

    /// <summary>Says before any work is done what <see cref="Write"/> would say: that nothing can be written there, or that a folder holds something else and is not replaced.</summary>
    /// <param name="path">Final place.</param>
    /// <param name="hallmark">The file by which one knows what the folder is.</param>
    /// <param name="name">What messages call the place: an option and its value; null for the path.</param>
    /// <exception cref="InputException">No folder can be written there; or it is not empty and lacks the file, or holds more of the kind below it.</exception>
    public static void Check(string path, string hallmark, string? name = null)
    {
        if (File.Exists(path))
            throw new InputException($"{name ?? path}: is a file; a folder is to be written there. Remove it or choose another name");
        WriteFailure.Refuse(name ?? path, WriteFailure.Obstacle(path));
        if (!Directory.Exists(path) || !Directory.EnumerateFileSystemEntries(path).Any())
            return;
        if (!File.Exists(Path.Combine(path, hallmark)))
            throw new InputException($"{name ?? path}: holds something, but no {hallmark}; it would be replaced as a whole. Choose another folder, or empty it");
        foreach (string inner in Directory.EnumerateDirectories(path))
        {
            if (Directory.EnumerateFiles(inner, hallmark, SearchOption.AllDirectories).FirstOrDefault() is { } file)
                throw new InputException($"{name ?? path}: would be replaced as a whole, and {file} with it. Choose another folder");
        }
    }

    private static string NewOf(string full) => Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.new");

    private static string OldOf(string full) => Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.old");

    private static void TryDelete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // the first failure is the one to report
        }
    }
}
