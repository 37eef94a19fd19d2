using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>The mean negative log likelihood of a model on held-out examples.</summary>
public sealed class Evaluation
{
    private readonly ExampleSet _examples;
    private readonly TrainingBatch _batch = new();
    private readonly int _batchSize;

    /// <summary>An evaluation on these examples.</summary>
    /// <param name="examples">Held out.</param>
    /// <param name="batchSize">Examples of one pass.</param>
    public Evaluation(ExampleSet examples, int batchSize)
    {
        _examples = examples;
        _batchSize = batchSize;
    }

    /// <summary>Runs all examples without noise and without derivatives.</summary>
    /// <param name="model">Adapters included.</param>
    /// <param name="step">Its tape is used; what it holds is lost.</param>
    /// <param name="stop">Ends it between two passes.</param>
    /// <returns>Nats per target token, and how many target tokens there are.</returns>
    public (double Loss, long TargetTokens) Run(CausalLm model, Step step, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(step);
        bool training = step.Training, recording = step.Tape.Recording;
        step.Training = step.Tape.Recording = false;
        double sum = 0;
        long targets = 0;
        for (int first = 0; first < _examples.Count; first += _batchSize)
        {
            stop.ThrowIfCancellationRequested();
            _batch.Fill(_examples, first, Math.Min(_batchSize, _examples.Count - first));
            if (_batch.TargetTokens == 0)
                continue;
            step.Begin(_batch.Rows);
            Tensor loss = model.Loss(step, model.Hidden(step), step.Copy(_batch.Targets), 1f / _batch.TargetTokens);
            sum += (double)loss.Values[0] * _batch.TargetTokens;
            targets += _batch.TargetTokens;
        }
        step.Training = training;
        step.Tape.Recording = recording;
        return (targets == 0 ? double.NaN : sum / targets, targets);
    }
}
