using System.Runtime.Intrinsics;
using Lorikeet.Kernels.Assembled;

namespace Lorikeet.Kernels;

/// <summary>What this processor offers and which kernels were chosen for it, once, at start-up.</summary>
public static class Isa
{
    /// <summary>
    /// Names the kernels to use: <c>reference</c>, <c>portable</c> (compiled, with the widest registers), <c>vector128</c>, <c>vector256</c> or <c>vector512</c>
    /// (compiled, of that width), <c>assembled</c> (machine code assembled at start-up, whatever the calibration says). Without it the fastest are used.
    /// </summary>
    public const string Variable = "LORIKEET_KERNELS";

    /// <summary>The widest registers of this processor.</summary>
    public static KernelTier Widest { get; } =
        Vector512.IsHardwareAccelerated ? KernelTier.Vector512
        : Vector256.IsHardwareAccelerated ? KernelTier.Vector256
        : Vector128.IsHardwareAccelerated ? KernelTier.Vector128
        : KernelTier.Reference;

    /// <summary>Why no assembled kernels run here, or null where they can.</summary>
    public static string? WhyNotAssembled { get; } = AssembledKernels.WhyNot();

    /// <summary>The kernels in use.</summary>
    public static KernelTier Tier { get; } = Choose(Environment.GetEnvironmentVariable(Variable), Widest, WhyNotAssembled is null);

    /// <summary>What is wrong with the value of <see cref="Variable"/>, or null where there is none or a known one.</summary>
    public static string? Problem { get; } = ProblemOf(Environment.GetEnvironmentVariable(Variable));

    /// <summary>One line for a log: the kernels in use and why, and what the processor has.</summary>
    public static string Description { get; } = Describe(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The tier that a value of <see cref="Variable"/> asks for; the fastest where it is absent or unknown, or asks for more than there is.</summary>
    internal static KernelTier Choose(string? wanted, KernelTier widest, bool assembled)
    {
        KernelTier fastest = !assembled ? widest : widest switch
        {
            KernelTier.Vector512 => KernelTier.Assembled512,
            KernelTier.Vector256 => KernelTier.Assembled256,
            _ => widest,
        };
        KernelTier tier = Parse(wanted, widest, fastest) ?? fastest;
        return tier.Compiled() > widest ? widest : tier;
    }

    private static KernelTier? Parse(string? wanted, KernelTier widest, KernelTier fastest) => wanted?.Trim().ToLowerInvariant() switch
    {
        "reference" => KernelTier.Reference,
        "portable" => widest,
        "vector128" => KernelTier.Vector128,
        "vector256" => KernelTier.Vector256,
        "vector512" => KernelTier.Vector512,
        "assembled" => fastest,
        _ => null,
    };

    internal static string? ProblemOf(string? wanted) => string.IsNullOrWhiteSpace(wanted) || Parse(wanted, Widest, Tier) is not null ? null
        : $"{Variable}={wanted}: expected reference, portable, vector128, vector256, vector512 or assembled; without it the fastest kernels run";

    /// <summary>Why the kernels that <see cref="Variable"/> asks for do not run; null where they do, or nothing is asked for.</summary>
    public static string? WhyOther { get; } = WhyOtherThan(Environment.GetEnvironmentVariable(Variable), Widest, WhyNotAssembled);

    internal static string? WhyOtherThan(string? wanted, KernelTier widest, string? whyNotAssembled) => string.IsNullOrWhiteSpace(wanted) ? null
        : Parse(wanted, widest, widest) is not { } tier ? ProblemOf(wanted)
        : wanted.Trim().Equals("assembled", StringComparison.OrdinalIgnoreCase) ? whyNotAssembled
        : tier > widest ? "there are no such registers here"
        : null;

    private static string Describe(string? wanted)
    {
        string chosen = string.IsNullOrWhiteSpace(wanted) ? "" : WhyOther is { } reason ? $" ({Variable}={wanted}: {reason})" : $" ({Variable})";
        return $"{Tier.ToString().ToLowerInvariant()} kernels{chosen}; {string.Join(' ', ProcessorFeatures.Names)}; {Environment.ProcessorCount} processors";
    }
}
