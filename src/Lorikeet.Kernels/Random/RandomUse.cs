namespace Lorikeet.Kernels;

/// <summary>What is made of random words.</summary>
internal enum RandomUse
{
    /// <summary>Uniform numbers.</summary>
    Uniform,
    /// <summary>Normal numbers.</summary>
    Normal,
    /// <summary>A mask.</summary>
    Dropout,
}
