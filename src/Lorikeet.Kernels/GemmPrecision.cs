namespace Lorikeet.Kernels;

/// <summary>How a product may round its factors before they are multiplied. Sums are always single precision or better.</summary>
public enum GemmPrecision
{
    /// <summary>Not at all: single precision.</summary>
    Single,
    /// <summary>
    /// To bfloat16 (to nearest, ties to even; A after it was multiplied by its factor). Few rows, which wait for memory and not for arithmetic, are
    /// not rounded. Whether that is faster depends on the processor: see <see cref="KernelChoice.BF16IsFaster"/>.
    /// </summary>
    BF16,
}
