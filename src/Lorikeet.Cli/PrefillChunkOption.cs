using System.CommandLine;
using Lorikeet.Inference;

namespace Lorikeet.Cli;

/// <summary>The option that says how much of a prompt one pass reads.</summary>
internal static class PrefillChunkOption
{
    private const int Most = 1 << 20;

    /// <summary>A new one, for a command of its own.</summary>
    public static Option<int> Create()
    {
        Option<int> option = new("--prefill-chunk", "--ubatch-size")
        {
            Description = "Tokens of prompts that one pass reads: longer prompts take several passes. Less takes less memory, and other texts wait less for their next token; "
                + "more reads long prompts a little faster",
            DefaultValueFactory = _ => Generator.DefaultPrefillChunk,
        };
        option.AcceptBetween(1, Most);
        return option;
    }
}
