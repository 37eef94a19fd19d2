namespace Lorikeet.Tensors.Tests;

/// <summary>Sizes of the cases: none divides another, and none is a multiple of a vector register.</summary>
/// <param name="Rows">Tokens.</param>
/// <param name="Dim">Columns in.</param>
/// <param name="Out">Columns out.</param>
/// <param name="Rank">Of low-rank updates.</param>
/// <param name="Heads">Query heads; half as many for keys and values.</param>
/// <param name="HeadDim">Numbers of a head.</param>
/// <param name="Classes">Of cross entropy.</param>
internal sealed record CaseSize(int Rows, int Dim, int Out, int Rank, int Heads, int HeadDim, int Classes)
{
    /// <summary>Every element can be checked.</summary>
    public static readonly CaseSize Small = new(Rows: 5, Dim: 6, Out: 7, Rank: 3, Heads: 4, HeadDim: 4, Classes: 9);

    /// <summary>Large enough that kernels share the work between threads.</summary>
    public static readonly CaseSize Large = new(Rows: 131, Dim: 130, Out: 170, Rank: 9, Heads: 4, HeadDim: 20, Classes: 1030);
}
