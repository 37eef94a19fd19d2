using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Matrix products.</summary>
public static unsafe class Gemm
{
    /// <summary>Runs one product.</summary>
    public static void Run(in GemmCall call) => GemmReference.Run(call);
}
