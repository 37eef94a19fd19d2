using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Matrix products.</summary>
public static unsafe class Gemm
{
    /// <summary>Runs one product on all threads of the <see cref="ComputePool"/>; the result does not depend on how many there are.</summary>
    /// <exception cref="ArgumentException">An operand's type cannot be read as single precision, or the row of a block format is not whole blocks.</exception>
    public static void Run(in GemmCall call) => Run(call, KernelChoice.Single);

    internal static void Run(in GemmCall call, KernelTier tier)
    {
        Check(call.A, "A");
        Check(call.B, "B");
        if (call.K2 > 0)
        {
            Check(call.A2, "A2");
            Check(call.B2, "B2");
        }
        if (tier == KernelTier.Reference)
            GemmReference.Run(call);
        else if (call.Precision == GemmPrecision.Int8 && QuantizedGemm.Fits(call, tier))
            QuantizedGemm.Run(call, tier);
        else if (Gemv.Fits(call))
            Gemv.Run(call, tier);
        else if (call.Precision == GemmPrecision.Int8 && KernelChoice.BF16IsFaster)
            GemmPlan.Run(call with { Precision = GemmPrecision.BF16 }, tier);
        else
            GemmPlan.Run(call, tier);
    }

    private static void Check(in GemmOperand x, string name)
    {
        if (x.Type is DType.F32 or DType.BF16 or DType.F16)
            return;
        if (!BlockFormats.CanDequantize(x.Type))
            throw new ArgumentException($"operand {name} of a product is {x.Type}, which cannot be read as single precision");
        if (x.Stride % x.Type.BlockSize() != 0)
            throw new ArgumentException($"operand {name} of a product is {x.Type}, whose rows are whole blocks of {x.Type.BlockSize()}: a stride of {x.Stride} is not");
    }
}
