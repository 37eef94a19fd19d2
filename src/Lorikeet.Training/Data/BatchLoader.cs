namespace Lorikeet.Training;

/// <summary>
/// Gives the batches of each optimiser step. They are all there before the first one is computed, so that their losses can be divided by the
/// number of target tokens of the whole step: the gradient is then the same however the step is divided into batches.
/// </summary>
public sealed class BatchLoader
{
    private readonly ExampleSet _set;
    private readonly BatchSampler _sampler;
    private readonly TrainingBatch[] _batches;
    private readonly int _batchSize;
    private readonly int _passSize;
    private readonly int _accumulation;

    /// <summary>A loader at the beginning of the first pass.</summary>
    /// <param name="set">What to train on.</param>
    /// <param name="batchSize">Items of a batch.</param>
    /// <param name="accumulation">Batches of an optimiser step; the last step of a pass may have fewer.</param>
    /// <param name="order">The order of the items.</param>
    /// <param name="seed">Chooses among the orders.</param>
    /// <param name="passSize">Items that are given out together, where a whole batch would take too much memory; null for all of a batch.</param>
    public BatchLoader(ExampleSet set, int batchSize, int accumulation, RowOrder order, int seed, int? passSize = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(accumulation, 1);
        _set = set;
        _batchSize = batchSize;
        _sampler = new BatchSampler(set, batchSize, order, seed);
        _passSize = Math.Clamp(passSize ?? batchSize, 1, batchSize);
        _accumulation = Math.Min(accumulation, _sampler.BatchesPerEpoch);
        _batches = new TrainingBatch[checked(_accumulation * ((Math.Min(batchSize, set.Count) - 1) / _passSize + 1))];
        int tokens = set.LargestBatch(_passSize), sequences = checked(Math.Min(_passSize, set.Count) * set.MostSequences);
        for (int i = 0; i < _batches.Length; i++)
        {
            _batches[i] = new TrainingBatch();
            _batches[i].Reserve(tokens, sequences);
        }
    }

    /// <summary>Optimiser steps of one pass over the data.</summary>
    public int StepsPerEpoch => StepsOf(_set, _batchSize, _accumulation);

    /// <summary>Passes made so far, as a fraction.</summary>
    public double Epochs => _sampler.Epochs;

    /// <summary>Tokens of the step that <see cref="Next"/> gave last.</summary>
    public int Tokens { get; private set; }

    /// <summary>Tokens of that step that count in the loss: what its losses are divided by.</summary>
    public int TargetTokens { get; private set; }

    /// <summary>Where it is, for a checkpoint. Setting it moves there.</summary>
    /// <exception cref="Tensors.InputException">The state belongs to another seed, batch size or order, or to other data.</exception>
    public SamplerState State
    {
        get => _sampler.State;
        set => _sampler.State = value;
    }

    /// <summary>Optimiser steps that one pass over a set takes.</summary>
    public static int StepsOf(ExampleSet set, int batchSize, int accumulation)
    {
        ArgumentNullException.ThrowIfNull(set);
        int batches = (set.Count + batchSize - 1) / batchSize;
        return (batches - 1) / Math.Min(accumulation, batches) + 1;
    }

    /// <summary>What the next optimiser step adds up, batch by batch or in smaller passes, to be used before the next call. A step never reaches over the end of a pass.</summary>
    public ReadOnlySpan<TrainingBatch> Next()
    {
        int passes = 0, batches = 0;
        Tokens = TargetTokens = 0;
        do
        {
            ReadOnlySpan<int> items = _sampler.Next();
            for (int first = 0; first < items.Length; first += _passSize)
            {
                TrainingBatch batch = _batches[passes++];
                batch.Fill(_set, items.Slice(first, Math.Min(_passSize, items.Length - first)));
                Tokens += batch.Rows.Rows;
                TargetTokens += batch.TargetTokens;
            }
        }
        while (++batches < _accumulation && !_sampler.AtEnd);
        return _batches.AsSpan(0, passes);
    }
}
