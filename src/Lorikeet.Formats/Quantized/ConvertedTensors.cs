using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A checkpoint whose matrices are turned into another storage as they are asked for, so that never two versions of the model lie in memory.</summary>
public sealed class ConvertedTensors : ITensorSource
{
    private readonly ITensorSource _source;
    private readonly ModelStorage _storage;
    private readonly Dictionary<string, StoredTensor> _made = new(StringComparer.Ordinal);
    private readonly List<string> _remarks;
    private readonly List<(string Name, DType Asked, DType Taken)> _others = [];

    /// <summary>Looks at a checkpoint through a storage.</summary>
    /// <param name="source">The checkpoint; it belongs to this.</param>
    /// <param name="storage">Any that <see cref="WeightStorage"/> names.</param>
    public ConvertedTensors(ITensorSource source, ModelStorage storage)
    {
        ArgumentNullException.ThrowIfNull(source);
        (_source, _storage) = (source, storage);
        _remarks = [.. source.Remarks];
    }

    /// <inheritdoc/>
    public string Description => _source.Description;

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _source.Names;

    /// <inheritdoc/>
    public IReadOnlyList<string> Remarks =>
    [
        .. _remarks,
        .. _others.GroupBy(other => (other.Asked, other.Taken)).Select(of => WeightStorage.Remark(of.Key.Asked, of.Key.Taken, [.. of.Select(other => other.Name)])),
    ];

    /// <inheritdoc/>
    public StoredTensor? Find(string name)
    {
        if (_made.TryGetValue(name, out StoredTensor? made))
            return made;
        StoredTensor? stored = _source.Find(name);
        if (stored is null || _storage.Of(name, stored.Shape.Count) is not { } type || stored.Type == type || !WeightStorage.HoldsNumbers(stored.Type))
            return stored;
        made = Convert(stored, type);
        if (!ReferenceEquals(made, stored))
            stored.Bytes.Release();
        _made.Add(name, made);
        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _made.Clear();
        _source.Dispose();
    }

    private StoredTensor Convert(StoredTensor stored, DType type)
    {
        Shape shape = Shape.From(stored.Shape);
        // values are those of the storage all the same: what is trained on them fits the model that was saved in it
        Tensor value = Tensor.FromStored(stored, shape);
        StoredTensor made = WeightStorage.IsBitsandbytes(type) ? Packed(stored.Name, value, type) : InBlocks(stored, value, WeightStorage.Fitting(type, shape.Columns), type);
        if (made.Type != type)
            _others.Add((stored.Name, type, made.Type));
        return made;
    }

    private static StoredTensor Packed(string name, Tensor value, DType type)
    {
        using BitsandbytesMatrix matrix = BitsandbytesMatrix.Of(name, value, type);
        return matrix.InMemory();
    }

    // where no blocks fit, another width wins nothing
    private static StoredTensor InBlocks(StoredTensor stored, Tensor value, DType fitting, DType asked) =>
        fitting == stored.Type || (fitting == DType.F16 && asked != DType.F16) ? stored : stored with { Type = fitting, Bytes = value.To(fitting, stored.Name).Contents, Order = null };
}
