using Lorikeet.Formats;

namespace Lorikeet.Cli;

/// <summary>What runs that were killed left beside an output.</summary>
internal static class Leftovers
{
    /// <summary>Tells of it. It is not removed: another machine may be writing there.</summary>
    public static void Tell(string output, Terminal terminal)
    {
        foreach (string left in AtomicFile.LeftOf(output))
            terminal.Error.WriteLine($"note: {left}: left by a run that was killed before it was done; remove it");
    }
}
