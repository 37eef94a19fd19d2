using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Nn.Tests;

/// <summary>Weights for tests: named tensors in memory.</summary>
internal sealed class ListedTensors : ITensorSource
{
    private readonly List<StoredTensor> _tensors = [];

    public string Description => "listed.safetensors";

    public IReadOnlyList<string> Names => [.. _tensors.Select(tensor => tensor.Name)];

    public bool Disposed { get; private set; }

    /// <summary>Adds a tensor of 0, 1, 2 … divided by their count.</summary>
    public ListedTensors Add(string name, params long[] shape) => Add(name, DType.F32, shape);

    /// <summary>Adds a tensor in a storage type.</summary>
    public ListedTensors Add(string name, DType type, params long[] shape)
    {
        int count = (int)shape.Aggregate(1L, (product, size) => product * size);
        Tensor tensor = Tensor.Create(new Shape(count), type);
        if (type == DType.F32)
        {
            for (int i = 0; i < count; i++)
                tensor.Values[i] = i / (float)count;
        }
        else if (type == DType.BF16)
        {
            Tensor one = Tensor.FromValues([.. Enumerable.Repeat(1f, count)], new Shape(1, count));
            tensor = Tensor.Create(new Shape(1, count), type);
            tensor.WriteRows(0, one);
        }
        _tensors.Add(new StoredTensor(name, type, shape, tensor.Contents));
        return this;
    }

    public StoredTensor? Find(string name) => _tensors.Find(tensor => tensor.Name == name);

    public void Dispose() => Disposed = true;
}
