namespace Lorikeet.Kernels;

/// <summary>Which vectors a kernel runs in.</summary>
internal enum VectorWidth
{
    /// <summary>No vectors.</summary>
    Scalar,
    /// <summary>128 bits.</summary>
    V128,
    /// <summary>256 bits.</summary>
    V256,
    /// <summary>512 bits.</summary>
    V512,
}
