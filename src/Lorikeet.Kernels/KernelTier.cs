namespace Lorikeet.Kernels;

/// <summary>Which version of the kernels runs; a greater one is faster.</summary>
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
}
