using System.CommandLine;

namespace Lorikeet.Cli;

/// <summary>Arguments and options that several commands have.</summary>
internal static class CommonOptions
{
    /// <summary>A model.</summary>
    public static Argument<string> Model() => new("MODEL")
    {
        Description = "A Hugging Face folder, a GGUF file, ORG/NAME[@REVISION] of the hub's cache, or random:NAME",
    };

    /// <summary>Output for programs.</summary>
    public static Option<bool> Json(string what = "Print JSON") => new("--json") { Description = what };
}
