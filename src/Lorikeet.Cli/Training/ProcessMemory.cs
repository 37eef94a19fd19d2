using System.Diagnostics;
using System.Globalization;

namespace Lorikeet.Cli.Training;

/// <summary>What this process took from the system.</summary>
internal static class ProcessMemory
{
    /// <summary>What this machine, or the container that this process runs in, has of memory, in bytes.</summary>
    public static long MachineBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Counts the peak anew, where the system lets a process do that (Linux).</summary>
    public static void ForgetPeak()
    {
        const string file = "/proc/self/clear_refs";
        try
        {
            if (File.Exists(file))
                File.WriteAllText(file, "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // the peak then counts from the start of the process
        }
    }

    /// <summary>The most resident memory at any time, or since <see cref="ForgetPeak"/>, in bytes.</summary>
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
