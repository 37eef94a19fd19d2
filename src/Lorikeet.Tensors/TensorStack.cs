namespace Lorikeet.Tensors;

/// <summary>Tensors in the order they were made; those beyond the count are used again.</summary>
internal sealed class TensorStack
{
    private Tensor[] _tensors = new Tensor[256];

    public int Count { get; set; }

    public Tensor this[int index] => _tensors[index];

    public Tensor Next()
    {
        if (Count == _tensors.Length)
            Array.Resize(ref _tensors, Count * 2);
        return _tensors[Count++] ??= new Tensor();
    }

    public void Swap(int i, int j) => (_tensors[i], _tensors[j]) = (_tensors[j], _tensors[i]);

    /// <summary>True where the tensor is one of those made from a position on.</summary>
    public bool Contains(Tensor tensor, int from) => Array.IndexOf(_tensors, tensor, from, Count - from) >= 0;
}
