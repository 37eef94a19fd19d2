using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Keeps what something is made from safe from what is written.</summary>
public static class Origins
{
    /// <summary>Refuses a place to write that is, holds or lies in what is read, by whatever links it is reached: it is mapped while it is read, and may be the only copy.</summary>
    /// <param name="output">The file or folder to write.</param>
    /// <param name="within">True where it may lie in a folder that is read: one more file does not hurt that.</param>
    /// <param name="origins">Files and folders that it is made from.</param>
    /// <exception cref="InputException">The place is not free of one of them.</exception>
    public static void Check(string output, bool within, params IReadOnlyList<string> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        string place = Real(output);
        foreach (string origin in origins)
        {
            string source = Real(origin);
            if (source.Equals(place, Names) || Lies(source, place) || (!within && Lies(place, source) && Directory.Exists(source)))
                throw new InputException($"{output}: {origin} is what it would be made from; choose another {(within ? "name to write to, neither it nor above it" : "folder to write to, neither it, nor above it, nor in it")}");
        }
    }

    // where names differ in case alone is one file on the usual disks of these systems
    private static StringComparison Names => OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private static bool Lies(string path, string folder) => path.StartsWith(folder + Path.DirectorySeparatorChar, Names);

    private static string Real(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } above)
            return full;
        string here = Path.Join(Real(above), Path.GetFileName(full));
        return Path.Exists(here) && new FileInfo(here).ResolveLinkTarget(returnFinalTarget: true) is { } target ? Real(target.FullName) : here;
    }
}
