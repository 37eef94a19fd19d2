using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// Chooses the items of each batch. The order of a pass is a function of seed and pass alone, so a position is three numbers.
/// After the first pass nothing is allocated.
/// </summary>
public sealed class BatchSampler
{
    // batches whose rows are sorted by length together: longer stretches waste less, shorter ones shuffle better; without padding
    // only the evenness of step times is at stake
    private const int SortedBatches = 50;

    private readonly ExampleSet _set;
    private readonly int _batchSize;
    private readonly RowOrder _order;
    private readonly int _seed;
    private readonly int[] _items;
    private readonly int[] _batchOrder;
    private readonly int[] _scratch;
    private readonly long[] _keys;
    private int _epoch;
    private int _batch;

    /// <summary>A sampler at the beginning of the first pass.</summary>
    public BatchSampler(ExampleSet set, int batchSize, RowOrder order, int seed)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (set.Count == 0)
            throw new ArgumentException("no items to sample from", nameof(set));
        _set = set;
        _batchSize = batchSize;
        _order = order;
        _seed = seed;
        _items = new int[set.Count];
        BatchesPerEpoch = (set.Count + batchSize - 1) / batchSize;
        bool sorted = order == RowOrder.ByLength;
        _batchOrder = new int[sorted ? BatchesPerEpoch : 0];
        _scratch = new int[sorted ? set.Count : 0];
        _keys = new long[sorted ? set.Count : 0];
        Arrange();
    }

    /// <summary>Batches of one pass; the last one may be smaller.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>Whether the next batch begins a new pass.</summary>
    public bool AtEnd => _batch == BatchesPerEpoch;

    /// <summary>Where it is. Setting it moves there.</summary>
    /// <exception cref="InputException">The state belongs to another seed, batch size or order, or to other data.</exception>
    public SamplerState State
    {
        get => new(_seed, _batchSize, _order, _epoch, _batch, _set.Fingerprint);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Data != _set.Fingerprint)
            {
                throw new InputException("The training data is not what the checkpoint was made with: tokens or their order have changed "
                    + $"(fingerprint {_set.Fingerprint:x16}, the checkpoint has {value.Data:x16}). Restore the data, the tokenizer and the recipe's data section, or start a new run.");
            }
            if ((value.Seed, value.BatchSize, value.Order) != (_seed, _batchSize, _order) || value.Epoch < 0 || value.Batches < 0 || value.Batches > BatchesPerEpoch)
            {
                throw new InputException($"The checkpoint's place in the data (seed {value.Seed}, batch_size {value.BatchSize}, order {RecipeNames.Of(value.Order.ToString())}, "
                    + $"pass {value.Epoch}, batch {value.Batches}) does not fit this run (seed {_seed}, batch_size {_batchSize}, order {RecipeNames.Of(_order.ToString())}, "
                    + $"{BatchesPerEpoch} batches a pass). Use the settings that the checkpoint was made with, or start a new run.");
            }
            (_epoch, _batch) = (value.Epoch, value.Batches);
            Arrange();
        }
    }

    /// <summary>Passes made so far, as a fraction.</summary>
    public double Epochs => _epoch + _batch / (double)BatchesPerEpoch;

    /// <summary>The items of the next batch, to be read before the next call.</summary>
    public ReadOnlySpan<int> Next()
    {
        if (AtEnd)
        {
            _epoch++;
            _batch = 0;
            Arrange();
        }
        int first = _batch++ * _batchSize;
        return _items.AsSpan(first, Math.Min(_batchSize, _items.Length - first));
    }

    private void Arrange()
    {
        for (int i = 0; i < _items.Length; i++)
            _items[i] = i;
        if (_order == RowOrder.File)
            return;
        SeededRandom random = new(_seed, _epoch);
        random.Shuffle(_items);
        if (_order == RowOrder.ByLength)
            SortByLength(ref random);
    }

    private void SortByLength(ref SeededRandom random)
    {
        ReadOnlySpan<int> lengths = _set.Lengths;
        for (int i = 0; i < _items.Length; i++)
            _keys[i] = (long)-lengths[_items[i]] << 32 | (uint)i; // longest first, then as shuffled
        int stretch = (int)Math.Min((long)SortedBatches * _batchSize, _items.Length);
        for (int start = 0; start < _items.Length; start += stretch)
            _keys.AsSpan(start, Math.Min(stretch, _items.Length - start)).Sort();
        for (int i = 0; i < _items.Length; i++)
            _scratch[i] = _items[(int)(uint)_keys[i]];

        // whole batches change places; a smaller last one stays last
        int whole = _items.Length / _batchSize;
        for (int i = 0; i < _batchOrder.Length; i++)
            _batchOrder[i] = i;
        random.Shuffle(_batchOrder.AsSpan(0, whole));
        int longest = 0;
        for (int i = 1; i < whole; i++)
        {
            if (BatchTokens(_batchOrder[i]) > BatchTokens(_batchOrder[longest]))
                longest = i;
        }
        // what needs most memory comes first, so that too little of it shows at once
        (_batchOrder[0], _batchOrder[longest]) = (_batchOrder[longest], _batchOrder[0]);
        for (int i = 0; i < _batchOrder.Length; i++)
        {
            int count = Math.Min(_batchSize, _items.Length - i * _batchSize);
            _scratch.AsSpan(_batchOrder[i] * _batchSize, count).CopyTo(_items.AsSpan(i * _batchSize));
        }
    }

    private long BatchTokens(int batch)
    {
        long tokens = 0;
        foreach (int item in _scratch.AsSpan(batch * _batchSize, Math.Min(_batchSize, _scratch.Length - batch * _batchSize)))
            tokens += _set.Lengths[item];
        return tokens;
    }
}
