using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A tensor to be written: what it is, and where its bytes will come from when their turn is there.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Storage type; GGUF block formats cannot be held.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Write">Writes the row-major contents, exactly as many bytes as type and shape say.</param>
public sealed record SafetensorsEntry(string Name, DType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>Copies a stored tensor.</summary>
    public SafetensorsEntry(StoredTensor tensor) : this(tensor.Name, tensor.Type, tensor.Shape, tensor.Bytes.CopyTo) { }

    /// <summary>Copies a stored tensor under another name.</summary>
    public SafetensorsEntry(string name, StoredTensor tensor) : this(name, tensor.Type, tensor.Shape, tensor.Bytes.CopyTo) { }

    /// <summary>How many bytes the contents take.</summary>
    /// <exception cref="OverflowException">The sizes multiply beyond 64 bits.</exception>
    public long Bytes => Type.Bytes(Shape.Aggregate(1L, (product, size) => checked(product * size)));
}
