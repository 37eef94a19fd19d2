using System.CommandLine;
using Lorikeet.Kernels;

namespace Lorikeet.Cli;

/// <summary>The option that says how keys and values are kept while text is written.</summary>
internal static class KvCacheOption
{
    /// <summary>A new one, for a command of its own.</summary>
    public static Option<string> Create()
    {
        Option<string> option = new("--kv-cache")
        {
            Description = "How keys and values of earlier tokens are kept: f32; bf16 in half the memory; int8 in little more than a quarter, with a scale for each head of each token. "
                + "Anything but f32 may change the text",
            DefaultValueFactory = _ => "f32",
        };
        option.AcceptOneOf("f32", "bf16", "int8");
        return option;
    }

    /// <summary>What was typed.</summary>
    public static DType Read(ParseResult parse, Option<string> option) => parse.GetValue(option) switch
    {
        "bf16" => DType.BF16,
        "int8" => DType.I8,
        _ => DType.F32,
    };

    /// <summary>What <see cref="Read"/> gave, in the option's words.</summary>
    public static string NameOf(DType type) => type == DType.I8 ? "int8" : type.ToString().ToLowerInvariant();
}
