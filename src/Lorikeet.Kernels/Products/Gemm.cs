using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Matrix products.</summary>
public static unsafe class Gemm
{
    /// <summary>Runs one product on all threads of the <see cref="ComputePool"/>; the result does not depend on how many there are.</summary>
    /// <exception cref="ArgumentException">An operand's type cannot be read as single precision, or the row of a block format is not whole blocks.</exception>
    public static void Run(in GemmCall call) => Run(call, KernelChoice.Single, KernelChoice.Int8);

    internal static void Run(in GemmCall call, KernelTier tier) => Run(call, tier, QuantizedPlan.DotsOf(tier));

    internal static void Run(in GemmCall call, KernelTier tier, IntegerDots? dots)
    {
        Check(call.A, "A");
        Check(call.B, "B");
        if (call.K2 > 0)
        {
            Check(call.A2, "A2");
            Check(call.B2, "B2");
        }
        if (call.B.Order != null)
            ColumnOrder.Multiply(call, tier);
        else if (tier == KernelTier.Reference)
            GemmReference.Run(call);
        else if (call.Precision == GemmPrecision.Int8 && dots is { } integers && QuantizedPlan.Fits(call))
            RunInt8(call, tier, integers);
        else if (Gemv.Fits(call))
            Gemv.Run(call, tier);
        else if (call.Precision == GemmPrecision.Int8 && KernelChoice.BF16IsFaster)
            GemmPlan.Run(call with { Precision = GemmPrecision.BF16 }, tier);
        else if (OuterProducts.Fits(call))
            OuterProducts.Run(call, tier);
        else
            GemmPlan.Run(call, tier);
    }

    /// <summary>
    /// Runs several products of the same activations, which are quantised once and meet all weights in one job where <see cref="GemmPrecision.Int8"/>
    /// applies to all; else one after another.
    /// </summary>
    /// <param name="calls">Products that may run in any order.</param>
    public static void RunTogether(ReadOnlySpan<GemmCall> calls)
    {
        bool together = KernelChoice.Int8 is not null && calls.Length > 0;
        foreach (ref readonly GemmCall call in calls)
            together &= call.Precision == GemmPrecision.Int8 && call.K2 == 0 && call.B.Order == null && QuantizedPlan.Fits(call) && QuantizedPlan.Together(calls[0], call);
        if (!together)
        {
            foreach (ref readonly GemmCall call in calls)
                Run(call);
            return;
        }
        foreach (ref readonly GemmCall call in calls)
        {
            Check(call.A, "A");
            Check(call.B, "B");
        }
        fixed (GemmCall* first = calls)
            QuantizedPlan.Run(first, calls.Length, KernelChoice.Int8!.Value);
    }

    private static void RunInt8(in GemmCall call, KernelTier tier, IntegerDots dots)
    {
        GemmCall first = call;
        QuantizedPlan.Run(&first, 1, dots);
        if (call.K2 > 0 && call.M > 0)
            RunSecond(call, tier);
    }

    /// <summary>Adds the second product alone to C, in single precision.</summary>
    internal static void RunSecond(in GemmCall call, KernelTier tier)
    {
        GemmCall second = call;
        (second.A, second.B, second.K, second.Alpha, second.K2) = (call.A2, call.B2, call.K2, call.Alpha2, 0);
        second.Accumulate = true;
        second.Bias = null;
        second.Precision = GemmPrecision.Single;
        Run(second, tier);
    }

    private static void Check(in GemmOperand x, string name)
    {
        if (x.Order != null && name != "B")
            throw new ArgumentException($"operand {name} of a product has an order of columns; only B may");
        if (x.Type is DType.F32 or DType.BF16 or DType.F16)
            return;
        if (!BlockFormats.CanDequantize(x.Type))
            throw new ArgumentException($"operand {name} of a product is {x.Type}, which cannot be read as single precision");
        if (x.Stride % x.Type.BlockSize() != 0)
            throw new ArgumentException($"operand {name} of a product is {x.Type}, whose rows are whole blocks of {x.Type.BlockSize()}: a stride of {x.Stride} is not");
    }
}
