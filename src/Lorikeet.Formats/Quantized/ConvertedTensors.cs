using System.Globalization;
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
    private readonly List<(string Name, DType Type)> _left = [];

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
        .. _left.GroupBy(left => left.Type).Select(of => string.Create(CultureInfo.InvariantCulture,
            $"{of.Count()} matrices are not kept as {WeightStorage.NameOf(of.Key)}, for their rows are not whole blocks of {of.Key.BlockSize()}: {string.Join(", ", of.Take(3).Select(left => left.Name))}{(of.Count() > 3 ? ", …" : "")}")),
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
        bool fits = shape.Columns % type.BlockSize() == 0;
        if (!fits)
            _left.Add((stored.Name, type));
        // values are those of the storage all the same: what is trained on them fits the model that was saved in it
        Tensor value = Tensor.FromStored(stored, shape);
        if (WeightStorage.IsBitsandbytes(type))
        {
            using BitsandbytesMatrix matrix = BitsandbytesMatrix.Of(stored.Name, value, type);
            return matrix.InMemory();
        }
        return fits ? stored with { Type = type, Bytes = value.To(type, stored.Name).Contents, Order = null } : stored;
    }
}
