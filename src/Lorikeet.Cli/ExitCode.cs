namespace Lorikeet.Cli;

/// <summary>What the program tells the shell.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>It could not be done: a diverged run, a full disk, a mistake in this program.</summary>
    public const int Failed = 1;

    /// <summary>What the user gave cannot be used; what to change has been said.</summary>
    public const int BadInput = 2;

    /// <summary>Ctrl-C, as shells count it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}
