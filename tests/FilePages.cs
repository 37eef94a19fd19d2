using System.Globalization;

namespace Lorikeet.Goldens;

/// <summary>How much of a file that is mapped takes memory of this process.</summary>
internal static class FilePages
{
    /// <summary>Bytes of a file's pages that are there. Skips the calling test where the system does not tell.</summary>
    public static long Resident(string path)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("the system does not tell how much of a file is in memory");
        string size = File.ReadLines("/proc/self/smaps")
            .SkipWhile(line => !line.EndsWith(path, StringComparison.Ordinal))
            .First(line => line.StartsWith("Rss:", StringComparison.Ordinal));
        return long.Parse(size.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
