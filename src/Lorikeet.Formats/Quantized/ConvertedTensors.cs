using System.Globalization;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A checkpoint whose matrices are turned into another storage as they are asked for, so that never two versions of the model lie in memory.</summary>
public sealed class ConvertedTensors : ITensorSource
{
    private readonly ITensorSource _source;
    private readonly DType _storage;
    private readonly Dictionary<string, StoredTensor> _made = new(StringComparer.Ordinal);
    private readonly List<string> _remarks, _left = [];

    /// <summary>Looks at a checkpoint through a storage.</summary>
    /// <param name="source">The checkpoint; it belongs to this.</param>
    /// <param name="storage">Any that <see cref="WeightStorage"/> names.</param>
    public ConvertedTensors(ITensorSource source, DType storage)
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
    public IReadOnlyList<string> Remarks => _left.Count == 0 ? _remarks :
    [
        .. _remarks,
        string.Create(CultureInfo.InvariantCulture, $"{_left.Count} matrices are not kept as {WeightStorage.NameOf(_storage)}, for their rows are not whole blocks of {_storage.BlockSize()}: {string.Join(", ", _left.Take(3))}{(_left.Count > 3 ? ", …" : "")}"),
    ];

    /// <inheritdoc/>
    public StoredTensor? Find(string name)
    {
        if (_made.TryGetValue(name, out StoredTensor? made))
            return made;
        StoredTensor? stored = _source.Find(name);
        if (stored is null || stored.Type == _storage || !WeightStorage.Suits(_storage, stored))
            return stored;
        made = Convert(stored);
        _made.Add(name, made);
        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _made.Clear();
        _source.Dispose();
    }

    private StoredTensor Convert(StoredTensor stored)
    {
        Shape shape = Shape.From(stored.Shape);
        bool fits = shape.Columns % _storage.BlockSize() == 0;
        if (!fits)
            _left.Add(stored.Name);
        // values are those of the storage all the same: what is trained on them fits the model that was saved in it
        Tensor value = Tensor.FromBytes(stored.Bytes, stored.Type, shape);
        if (WeightStorage.IsBitsandbytes(_storage))
            return BitsandbytesMatrix.Of(stored.Name, value, _storage).InMemory();
        return fits ? stored with { Type = _storage, Bytes = value.To(_storage).Contents } : stored;
    }
}
