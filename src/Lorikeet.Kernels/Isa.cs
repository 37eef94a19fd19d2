using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lorikeet.Kernels;

/// <summary>What this processor offers and which kernels were chosen for it, once, at start-up.</summary>
public static class Isa
{
    /// <summary>Names the kernels to use: <c>reference</c>, <c>portable</c> (the widest registers), <c>vector128</c>, <c>vector256</c> or <c>vector512</c>.</summary>
    public const string Variable = "LORIKEET_KERNELS";

    /// <summary>The widest registers of this processor.</summary>
    public static KernelTier Widest { get; } =
        Vector512.IsHardwareAccelerated ? KernelTier.Vector512
        : Vector256.IsHardwareAccelerated ? KernelTier.Vector256
        : Vector128.IsHardwareAccelerated ? KernelTier.Vector128
        : KernelTier.Reference;

    /// <summary>The kernels in use.</summary>
    public static KernelTier Tier { get; } = Choose(Environment.GetEnvironmentVariable(Variable), Widest);

    /// <summary>One line for a log: the kernels in use and why, and what the processor has.</summary>
    public static string Description { get; } = Describe(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The tier that a value of <see cref="Variable"/> asks for; the widest where it is absent or unknown, or asks for more than there is.</summary>
    internal static KernelTier Choose(string? wanted, KernelTier widest)
    {
        KernelTier tier = Parse(wanted) ?? widest;
        return tier > widest ? widest : tier;
    }

    private static KernelTier? Parse(string? wanted) => wanted?.Trim().ToLowerInvariant() switch
    {
        "reference" => KernelTier.Reference,
        "vector128" => KernelTier.Vector128,
        "vector256" => KernelTier.Vector256,
        "vector512" => KernelTier.Vector512,
        _ => null,
    };

    private static string Describe(string? wanted)
    {
        string chosen = string.IsNullOrWhiteSpace(wanted) ? ""
            : Parse(wanted) is { } tier && tier > Widest ? $" ({Variable}={wanted}: this processor has no such registers)"
            : Parse(wanted) is not null || wanted.Trim().Equals("portable", StringComparison.OrdinalIgnoreCase) ? $" ({Variable})"
            : $" ({Variable}={wanted} is unknown: reference, portable, vector128, vector256 or vector512)";
        List<string> features = [RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()];
        if (Avx2.IsSupported)
            features.Add("avx2");
        if (Fma.IsSupported)
            features.Add("fma");
        if (Avx512F.IsSupported)
            features.Add("avx512");
        if (AvxVnni.IsSupported)
            features.Add("avx-vnni");
        return $"{Tier.ToString().ToLowerInvariant()} kernels{chosen}; {string.Join(' ', features)}; {Environment.ProcessorCount} processors";
    }
}
