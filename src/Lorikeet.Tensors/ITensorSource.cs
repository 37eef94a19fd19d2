using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>A tensor as a file stores it: its bytes stay where they are.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Storage type.</param>
/// <param name="Shape">Sizes, outermost first (<c>[out, in]</c> for a linear layer).</param>
/// <param name="Bytes">Row-major contents.</param>
/// <param name="Order">The column (i32) at each place of a row, where they do not lie one after another (<see cref="ColumnOrder"/>).</param>
public sealed record StoredTensor(string Name, DType Type, IReadOnlyList<long> Shape, NativeBytes Bytes, NativeBytes? Order = null)
{
    /// <summary>How many elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>The sizes as people write them: <c>[576, 1536]</c>.</summary>
    public string ShapeText => "[" + string.Join(", ", Shape) + "]";
}

/// <summary>A bag of named tensors: a file, a folder of shards, or random numbers.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>What messages call it: a path.</summary>
    string Description { get; }

    /// <summary>Every name, in the order of the file.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>What somebody should know though it is no error: tensors that could not stay as they are stored.</summary>
    IReadOnlyList<string> Remarks => [];

    /// <summary>Finds a tensor; null where there is none of that name.</summary>
    StoredTensor? Find(string name);
}
