using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>What a loss needs of its targets.</summary>
internal static class Targets
{
    /// <summary>Counts the rows that have a target.</summary>
    /// <exception cref="ArgumentException">A target lies outside the classes, or there is no room for the losses.</exception>
    public static int Check(Tensor targets, int classes, Tensor? tokenLosses)
    {
        int count = 0;
        ReadOnlySpan<int> all = targets.Integers;
        for (int row = 0; row < all.Length; row++)
        {
            if (all[row] >= classes)
                throw new ArgumentException($"target {all[row]} of row {row} lies outside the {classes} classes");
            if (all[row] >= 0)
                count++;
        }
        if (tokenLosses is not null && (tokenLosses.Type != DType.F32 || !tokenLosses.IsContiguous || tokenLosses.Shape.Elements < count))
            throw new ArgumentException($"cross entropy: {tokenLosses} has no room for the losses of {count} targets");
        return count;
    }
}
