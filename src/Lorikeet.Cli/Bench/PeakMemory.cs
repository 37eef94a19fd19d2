using System.Diagnostics;
using System.Globalization;

namespace Lorikeet.Cli;

/// <summary>The most memory that this process has held at one time.</summary>
internal static class PeakMemory
{
    private const string Status = "/proc/self/status", Key = "VmHWM:";

    /// <summary>In MiB, of the resident set.</summary>
    public static double Megabytes()
    {
        try
        {
            // .NET on Linux answers with the memory of this moment
            string? line = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(text => text.StartsWith(Key, StringComparison.Ordinal)) : null;
            if (line is not null)
                return long.Parse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) / 1024.0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // the other way is there
        }
        using Process process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1048576.0;
    }
}
