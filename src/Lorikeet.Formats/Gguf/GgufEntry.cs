using Lorikeet.Kernels;

namespace Lorikeet.Formats;

/// <summary>A tensor to be written to a GGUF file: what it is, and where its bytes will come from when their turn is there.</summary>
/// <param name="Name">Its name in the file: <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Type">Storage type.</param>
/// <param name="Shape">Sizes, outermost first; the file holds them the other way round.</param>
/// <param name="Write">Writes the row-major contents, exactly as many bytes as type and shape say.</param>
public sealed record GgufEntry(string Name, DType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>How many bytes the contents take.</summary>
    /// <exception cref="OverflowException">The sizes multiply beyond 64 bits.</exception>
    public long Bytes => Type.Bytes(Shape.Aggregate(1L, (product, size) => checked(product * size)));
}
