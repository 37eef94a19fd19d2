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
    /// <summary>
    /// A to 8-bit integers, each 32 terms of a row with a scale of their own (<c>round(x * 127 / max |x|)</c>, ties to even), for weights whose codes are
    /// integers: Q4_0, Q4_1, Q8_0, Q4_K, Q6_K, which keep their value. For weights whose rows have one scale each (Int8Row), 128 terms of a row of A
    /// share theirs. Other weights run as <see cref="BF16"/> where that is faster (<see cref="KernelChoice.BF16IsFaster"/>), else in single precision.
    /// </summary>
    Int8,
}
