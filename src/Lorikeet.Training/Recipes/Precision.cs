namespace Lorikeet.Training;

/// <summary>How the products of a forward and backward pass are computed. Trained weights and their moments are always 32-bit.</summary>
public enum Precision
{
    /// <summary>In 32 bits.</summary>
    F32,
    /// <summary>From operands rounded to bfloat16, summed in 32 bits.</summary>
    BF16,
    /// <summary><see cref="BF16"/> where this processor is faster with it, else <see cref="F32"/>.</summary>
    Auto,
}
