namespace Lorikeet.Kernels;

/// <summary>Which version of the kernels runs; a greater one is faster on most processors.</summary>
public enum KernelTier
{
    /// <summary>Plain loops, kept as the oracle of all others.</summary>
    Reference,
    /// <summary>Registers of four floats: any processor.</summary>
    Vector128,
    /// <summary>Registers of eight floats: AVX2.</summary>
    Vector256,
    /// <summary>Registers of sixteen floats: AVX-512.</summary>
    Vector512,
    /// <summary>Machine code assembled at start-up for AVX2; what has none runs as <see cref="Vector256"/>.</summary>
    Assembled256,
    /// <summary>Machine code assembled at start-up for AVX-512; what has none runs as <see cref="Vector512"/>.</summary>
    Assembled512,
}

internal static class KernelTiers
{
    /// <summary>The compiled tier whose registers are as wide.</summary>
    public static KernelTier Compiled(this KernelTier tier) => tier switch
    {
        KernelTier.Assembled512 => KernelTier.Vector512,
        KernelTier.Assembled256 => KernelTier.Vector256,
        _ => tier,
    };
}
