using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Every op in all the ways it is used. A new op adds its cases here and gets every check of the kit.</summary>
internal static class OpCases
{
    private static readonly Dictionary<string, OpCase> Small = All(CaseSize.Small).ToDictionary(item => item.FullName);
    private static readonly Dictionary<string, OpCase> Large = All(CaseSize.Large).ToDictionary(item => item.FullName);

    /// <summary>The names of all cases, for theories.</summary>
    public static TheoryData<string> Names => [.. Small.Keys];

    /// <summary>A case whose every element can be checked.</summary>
    public static OpCase Of(string name) => Small[name];

    /// <summary>The same case with sizes that kernels share between threads.</summary>
    public static OpCase LargeOf(string name) => Large[name];

    /// <summary>All cases.</summary>
    public static IEnumerable<OpCase> All(CaseSize size) =>
    [
        .. ElementwiseCases.All(size), .. RowCases.All(size), .. LinearCases.All(size), .. AttentionCases.All(size), .. LossCases.All(size),
        .. CheckpointCases.All(size),
    ];

    /// <summary>Integers for ids, targets and ranges.</summary>
    public static Tensor Integers(Tape tape, IEnumerable<int> values)
    {
        int[] all = [.. values];
        Tensor tensor = tape.New(new Shape(all.Length), DType.I32);
        all.CopyTo(tensor.Integers);
        return tensor;
    }

    /// <summary>Integers from the numbers of the rows.</summary>
    public static Tensor Integers(Tape tape, int rows, Func<int, int> value) => Integers(tape, Enumerable.Range(0, rows).Select(value));
}
