using System.Diagnostics;
using System.Globalization;

namespace Lorikeet.Cli.Training;

/// <summary>What this process took from the system.</summary>
internal static class ProcessMemory
{
    /// <summary>The most resident memory at any time, in bytes.</summary>
    public static long PeakBytes()
    {
        const string field = "VmHWM:";
        if (File.Exists("/proc/self/status"))
        {
            foreach (string line in File.ReadLines("/proc/self/status"))
            {
                if (line.StartsWith(field, StringComparison.Ordinal)
                    && long.TryParse(line.AsSpan(field.Length).Trim().TrimEnd("kB").Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes))
                    return kilobytes * 1024;
            }
        }
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
