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

    /// <summary>A loader at the beginning of the first pass.</summary>
    /// <param name="set">What to train on.</param>
    /// <param name="batchSize">Items of a batch.</param>
    /// <param name="accumulation">Batches of an optimiser step; the last step of a pass may have fewer.</param>
    /// <param name="order">The order of the items.</param>
    /// <param name="seed">Chooses among the orders.</param>
    public BatchLoader(ExampleSet set, int batchSize, int accumulation, RowOrder order, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(accumulation, 1);
        _set = set;
        _batchSize = batchSize;
        _sampler = new BatchSampler(set, batchSize, order, seed);
        _batches = new TrainingBatch[Math.Min(accumulation, _sampler.BatchesPerEpoch)];
        int tokens = set.LargestBatch(batchSize), sequences = checked(Math.Min(batchSize, set.Count) * set.MostSequences);
        for (int i = 0; i < _batches.Length; i++)
        {
            _batches[i] = new TrainingBatch();
            _batches[i].Reserve(tokens, sequences);
        }
    }

    /// <summary>Optimiser steps of one pass over the data.</summary>
    public int StepsPerEpoch => StepsOf(_set, _batchSize, _batches.Length);

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

    /// <summary>The batches of the next optimiser step, to be used before the next call. A step never reaches over the end of a pass.</summary>
    public ReadOnlySpan<TrainingBatch> Next()
    {
        int count = 0;
        Tokens = TargetTokens = 0;
        do
        {
            TrainingBatch batch = _batches[count++];
            batch.Fill(_set, _sampler.Next());
            Tokens += batch.Rows.Rows;
            TargetTokens += batch.TargetTokens;
        }
        while (count < _batches.Length && !_sampler.AtEnd);
        return _batches.AsSpan(0, count);
    }
}
