using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Matrix products.</summary>
public static unsafe class Gemm
{
    /// <summary>Runs one product on all threads of the <see cref="ComputePool"/>; the result does not depend on how many there are.</summary>
    /// <exception cref="ArgumentException">An operand's type cannot be read as single precision, or the row of a block format is not whole blocks.</exception>
    public static void Run(in GemmCall call) => Run(call, Isa.Tier);

    internal static void Run(in GemmCall call, KernelTier tier)
    {
        if (tier == KernelTier.Reference)
            GemmReference.Run(call);
        else if (Gemv.Fits(call))
            Gemv.Run(call, tier);
        else
            GemmPlan.Run(call, tier);
    }
}
