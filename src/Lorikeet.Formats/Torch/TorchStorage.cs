using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A flat run of elements that tensors are views of. Legacy files say only after all tensors where its bytes are.</summary>
internal sealed class TorchStorage(DType type, string key, long elements)
{
    /// <summary>How elements are stored; bytes where the tensors say what they are (untyped storages).</summary>
    public DType Type { get; } = type;

    /// <summary>Its name in the file.</summary>
    public string Key { get; } = key;

    /// <summary>How many elements.</summary>
    public long Elements { get; } = elements;

    /// <summary>Its contents; null until they are found.</summary>
    public NativeBytes? Bytes { get; set; }
}
