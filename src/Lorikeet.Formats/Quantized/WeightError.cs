using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>How far a matrix moved when it was written in another storage.</summary>
/// <param name="Name">The matrix.</param>
/// <param name="Type">How it is stored now.</param>
/// <param name="Relative">The norm of the difference as a share of its own.</param>
/// <param name="Largest">The largest difference of one element; not finite where one is not finite any more.</param>
/// <param name="Range">The largest magnitude before.</param>
/// <param name="Bytes">What it takes now.</param>
public sealed record WeightError(string Name, DType Type, double Relative, double Largest, double Range, long Bytes)
{
    /// <summary>Compares two matrices row by row.</summary>
    public static WeightError Between(string name, Tensor before, Tensor after, DType type, long bytes)
    {
        WeightComparison comparison = new();
        comparison.Add(before, after);
        return comparison.Error(name, type, bytes);
    }
}
