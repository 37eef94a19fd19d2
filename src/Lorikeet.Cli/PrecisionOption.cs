using System.CommandLine;
using Lorikeet.Kernels;

namespace Lorikeet.Cli;

/// <summary>The option that says how far products may round their factors while text is read and written.</summary>
internal static class PrecisionOption
{
    /// <summary>A new one, for a command of its own.</summary>
    public static Option<string> Create()
    {
        Option<string> option = new("--precision")
        {
            Description = "How far the factors of products are rounded: f32 not at all, which gives the tokens that other programs give in it; bf16; int8 for activations that "
                + "meet quantised weights (what llama.cpp does); auto for the fastest here",
            DefaultValueFactory = _ => "f32",
        };
        option.AcceptOneOf("f32", "bf16", "int8", "auto");
        return option;
    }

    /// <summary>What was typed. The fastest is int8: where it does not apply it falls back to what is fastest then.</summary>
    public static GemmPrecision Read(ParseResult parse, Option<string> option) => parse.GetValue(option) switch
    {
        "bf16" => GemmPrecision.BF16,
        "int8" or "auto" => GemmPrecision.Int8,
        _ => GemmPrecision.Single,
    };

    /// <summary>What <see cref="Read"/> gave, in the option's words.</summary>
    public static string NameOf(GemmPrecision precision) => precision == GemmPrecision.Single ? "f32" : precision.ToString().ToLowerInvariant();
}
