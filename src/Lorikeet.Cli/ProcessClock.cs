using System.Diagnostics;

namespace Lorikeet.Cli;

/// <summary>How long the process has been there: the runtime's own start included, which a stopwatch would not see.</summary>
internal static class ProcessClock
{
    /// <summary>Seconds since the system started the process, to about a hundredth.</summary>
    public static double Seconds
    {
        get
        {
            using Process process = Process.GetCurrentProcess();
            return (DateTime.UtcNow - process.StartTime.ToUniversalTime()).TotalSeconds;
        }
    }
}
