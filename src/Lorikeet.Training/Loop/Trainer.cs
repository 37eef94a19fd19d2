using System.Diagnostics;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// The loop: batches, forward, backward, clipping, optimiser, schedule, evaluation, checkpoints. It trains whatever parameters it is handed and
/// does not know what an adapter is. A run that was resumed makes the same bits as one that was never stopped: data order, dropout and noise
/// are functions of the seed and the step.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly CausalLm _model;
    private readonly TrainingOptions _options;
    private readonly BatchLoader _loader;
    private readonly Evaluation? _evaluation;
    private readonly Trainables _trainables;
    private readonly AdamW _optimizer;
    private readonly BackwardUpdates? _updates;
    private readonly Schedule _schedule;
    private readonly Step _step;
    private readonly Checkpoints? _checkpoints;
    private string? _resumedFrom;
    private bool _begun;
    private TrainProgress _progress = new(0, null, 0, 0);

    /// <summary>A run at its first step.</summary>
    /// <param name="model">With its adapters attached.</param>
    /// <param name="parameters">What to train: they move into memory of their own and become trainable.</param>
    /// <param name="options">How.</param>
    /// <param name="learningRate">The peak rate.</param>
    /// <param name="train">What to learn from.</param>
    /// <param name="order">In which order.</param>
    /// <param name="eval">Held-out examples, or null.</param>
    /// <param name="checkpoints">Where to write checkpoints, or null for none.</param>
    /// <param name="passes">How passes are made; null for what the options say.</param>
    public Trainer(
        CausalLm model, IReadOnlyList<Parameter> parameters, TrainingOptions options, double learningRate, ExampleSet train, RowOrder order,
        ExampleSet? eval = null, Checkpoints? checkpoints = null, PassPlan? passes = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _model = model;
        _options = options;
        passes ??= PassPlan.Of(options, model.Facts.Layers);
        if (MovesInBackward(model, parameters, options) && passes.Items < options.BatchSize)
            throw new ArgumentException("weights that move inside the backward pass want the whole gradient of a step from one pass", nameof(passes));
        _loader = new BatchLoader(train, options.BatchSize, options.GradientAccumulationSteps, order, options.Seed, passes.Items);
        _evaluation = eval is { Count: > 0 } ? new Evaluation(eval, EvalItems(options, passes)) : null;
        _trainables = new Trainables(parameters, BlocksOf(model, options));
        // the memory that parameters have left goes with its finalizer, and what reading model and data has left of both heaps:
        // now, not beside the first step's activations
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        LargeMemory.GiveBackSmall();
        _optimizer = new AdamW(_trainables, options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon, options.WeightDecay, options.OptimizerKind,
            options.OptimizerState ?? checkpoints?.Folder);
        TotalSteps = options.TotalSteps(_loader.StepsPerEpoch);
        _schedule = new Schedule(options.LrScheduler, learningRate, options.TotalWarmupSteps(TotalSteps), TotalSteps);
        _step = new Step(new Tape() { Precision = PrecisionOf(options.Precision), Activations = passes.Activations })
        {
            CheckpointedBlocks = passes.CheckpointedBlocks,
            NoiseAlpha = (float)options.NeftuneNoiseAlpha,
        };
        _checkpoints = checkpoints;
        // adapters have names of their own, outside of blocks, and gradients that are not worth it
        if (_trainables.SharesGradients)
        {
            _updates = new BackwardUpdates(_trainables, _optimizer, () => _checkpoints?.Newest);
            _step.Passed = _updates.Passed;
        }
    }

    // a pass without derivatives keeps little, but a budget may have made passes small
    private static int EvalItems(TrainingOptions options, PassPlan passes) =>
        options.Memory is null ? options.EvalBatchSize ?? options.BatchSize : Math.Min(options.EvalBatchSize ?? passes.Items, passes.Items);

    /// <summary>How products round their factors when a recipe says this.</summary>
    public static GemmPrecision PrecisionOf(Precision precision) => precision switch
    {
        Precision.BF16 => GemmPrecision.BF16,
        Precision.Auto when KernelChoice.BF16IsFaster => GemmPrecision.BF16,
        _ => GemmPrecision.Single,
    };

    /// <summary>Whether weights move inside the backward pass, which then has to make the whole gradient of a step.</summary>
    public static bool MovesInBackward(CausalLm model, IReadOnlyList<Parameter> parameters, TrainingOptions options) =>
        Trainables.GradientsOf(parameters, BlocksOf(model, options)) < parameters.Sum(parameter => parameter.Shape.Elements);

    /// <summary>Bytes of memory that values, gradients and moments of what is trained will take.</summary>
    public static long TrainedBytes(CausalLm model, IReadOnlyList<Parameter> parameters, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        long[] elements = [.. parameters.Select(parameter => parameter.Shape.Elements)];
        return (elements.Sum() + Trainables.GradientsOf(parameters, BlocksOf(model, options))) * sizeof(float) + AdamW.ResidentBytes(elements, options.OptimizerKind);
    }

    /// <summary>Called after every optimiser step.</summary>
    public Action<StepReport>? Stepped { get; set; }

    /// <summary>Called after every evaluation.</summary>
    public Action<EvaluationReport>? Evaluated { get; set; }

    /// <summary>Called after every checkpoint, with its folder.</summary>
    public Action<string>? Saved { get; set; }

    /// <summary>Optimiser steps of the whole run.</summary>
    public int TotalSteps { get; }

    /// <summary>Optimiser steps of one pass over the data.</summary>
    public int StepsPerEpoch => _loader.StepsPerEpoch;

    /// <summary>Optimiser steps made so far.</summary>
    public int StepsDone => _progress.Step;

    /// <summary>The most native memory that activations and gradients took at one time, in bytes.</summary>
    public long PeakActivationBytes => _step.Tape.PeakBytes;

    /// <summary>The pass that the loop uses; between steps it may be used for samples.</summary>
    public Step Pass => _step;

    /// <summary>Goes on from a checkpoint.</summary>
    /// <exception cref="InputException">It is damaged, or belongs to another model, other data or another recipe; every problem is listed.</exception>
    public void Resume(string folder)
    {
        _progress = Checkpoints.Load(folder, _trainables, _optimizer, _loader, _schedule);
        _resumedFrom = folder;
    }

    /// <summary>Trains to the end, or until somebody asks to stop: then the current step is finished and the state saved.</summary>
    /// <exception cref="DivergedException">A loss or gradient is not finite.</exception>
    /// <exception cref="InputException">The folder of the checkpoints holds those of another run.</exception>
    public TrainResult Run(CancellationToken stop = default)
    {
        TrainOutcome outcome = TrainOutcome.Finished;
        double loss = double.NaN, seconds = 0;
        long tokens = 0;
        bool saved = true;
        if (!_begun)
            _checkpoints?.Begin(_resumedFrom, _progress.Step);
        _begun = true;
        if (_progress.Step == 0)
            Evaluate();
        else if (_progress.Step == TotalSteps && _progress.EvaluatedStep != TotalSteps && _evaluation is not null)
        {
            // a longer run passed over the evaluation that this one ends with
            saved = false;
            EvaluateAndKeep();
        }
        while (_progress.Step < TotalSteps)
        {
            if (stop.IsCancellationRequested)
            {
                outcome = TrainOutcome.Interrupted;
                break;
            }
            StepReport report = OneStep();
            (loss, saved) = (report.Loss, false);
            seconds += report.Seconds;
            tokens += report.Tokens;
            Stepped?.Invoke(report);
            int done = _progress.Step;
            if ((_options.EvalEvery is { } every && done % every == 0) || done == TotalSteps)
            {
                EvaluateAndKeep();
                if (outcome == TrainOutcome.StoppedEarly)
                    break;
            }
            if (_options.SaveEvery is { } often && done % often == 0 && !saved)
                (_, saved) = (Save(best: false), true);
        }
        if (!saved)
            Save(best: false);
        return new TrainResult(outcome, _progress.Step, loss, _progress.BestLoss, _progress.BestStep, tokens, seconds, _checkpoints?.Newest, _checkpoints?.Best);

        // the best state is on disk before anything can happen to it
        void EvaluateAndKeep()
        {
            if (Evaluate())
                (_, saved) = (Save(best: true), true);
            if (_options.EarlyStoppingPatience is { } patience && _progress.BadEvaluations >= patience)
                outcome = TrainOutcome.StoppedEarly;
        }
    }

    /// <summary>One optimiser step: all its batches, then the update.</summary>
    public StepReport OneStep()
    {
        long start = Stopwatch.GetTimestamp();
        int number = _progress.Step + 1;
        double rate = _schedule.At(_progress.Step);
        ReadOnlySpan<TrainingBatch> batches = _loader.Next();
        if (_updates is not null)
            _updates.Begin(number, rate);
        else
            _trainables.ZeroGrads();
        _step.Training = _step.Tape.Recording = true;
        double loss = 0;
        for (int i = 0; i < batches.Length; i++)
        {
            if (batches[i].TargetTokens == 0)
                continue;
            double part = Accumulate(batches[i], number, i);
            if (!double.IsFinite(part))
                throw Diverged(number, batches[i]);
            loss += part;
        }
        _step.Tape.Recording = _step.Training = false;
        double norm = _updates is not null ? _updates.End() : Update(number, rate);
        _progress = _progress with { Step = number };
        return new StepReport(number, TotalSteps, _loader.Epochs, loss, norm, rate, _loader.Tokens, _loader.TargetTokens,
            Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Tape.Dispose();
        _optimizer.Dispose();
    }

    // clips the whole gradient and moves all weights; the norm before clipping
    private double Update(int number, double rate)
    {
        double norm = Math.Sqrt(_trainables.Grads.SumOfSquares());
        if (!double.IsFinite(norm))
            throw new DivergedException(number, $"the gradient of {_trainables.FirstNonFinite(gradients: true)?.Name ?? "the loss"}", _checkpoints?.Newest);
        _optimizer.Step(rate, _options.MaxGradNorm > 0 ? (float)Math.Min(1, _options.MaxGradNorm / (norm + 1e-6)) : 1);
        return norm;
    }

    // those whose gradients need not be there together
    private static string[] BlocksOf(CausalLm model, TrainingOptions options) =>
        options.UpdatesInBackward ? [.. model.Modules.OfType<Block>().Select(block => block.Path)] : [];

    private double Accumulate(TrainingBatch batch, int number, int index)
    {
        _step.Begin(batch.Rows);
        // every draw of this batch follows from seed, step and place: a resumed run draws the same
        _step.Tape.Seed = ((ulong)_options.Seed << 20) ^ (ulong)index;
        _step.Tape.Counter = (ulong)number << 32;
        Tensor hidden = _model.Hidden(_step);
        Tensor loss = _model.Loss(_step, hidden, _step.Copy(batch.Targets), 1f / _loader.TargetTokens);
        if (float.IsFinite(loss.Values[0]))
            _step.Tape.Backward(loss);
        return loss.Values[0];
    }

    private bool Evaluate()
    {
        if (_evaluation is null)
            return false;
        long start = Stopwatch.GetTimestamp();
        (double loss, long targets) = _evaluation.Run(_model, _step);
        if (!double.IsFinite(loss))
            throw new DivergedException(_progress.Step, "the evaluation loss", _checkpoints?.Newest, updated: true);
        _schedule.Observe(loss);
        bool best = _progress.BestLoss is not { } lowest || loss < lowest - _options.EarlyStoppingThreshold;
        _progress = best
            ? _progress with { BestLoss = loss, BestStep = _progress.Step, BadEvaluations = 0 }
            : _progress with { BadEvaluations = _progress.BadEvaluations + 1 };
        _progress = _progress with { EvaluatedStep = _progress.Step };
        Evaluated?.Invoke(new EvaluationReport(_progress.Step, loss, targets, best, Stopwatch.GetElapsedTime(start).TotalSeconds));
        return best;
    }

    private string? Save(bool best)
    {
        if (_checkpoints is null)
            return null;
        // what the last checkpoint left of the managed heap shall not lie beside what this one needs: steps make no garbage, so nobody else collects it
        GC.Collect();
        // finite gradients can still make an update that is not; a checkpoint shall be worth going back to
        if (_trainables.FirstNonFinite(gradients: false) is { } broken)
            throw new DivergedException(_progress.Step, broken.Name, _checkpoints.Newest, updated: true);
        for (int i = 0; i < _optimizer.Moments.Count; i++)
        {
            if (!_optimizer.Moments[i].AreFinite)
                throw new DivergedException(_progress.Step, "the optimiser's memory of past gradients", _checkpoints.Newest, updated: true);
            _optimizer.Release(i);
        }
        string folder = _checkpoints.Save(_progress, _trainables, _optimizer, _loader, _schedule, _step.Tape, best);
        Saved?.Invoke(folder);
        return folder;
    }

    // says which number went wrong first: a weight, or the stream after some block
    private DivergedException Diverged(int number, TrainingBatch batch)
    {
        string? tensor = _trainables.FirstNonFinite(gradients: false) is { } weight ? weight.Name : null;
        if (tensor is null)
        {
            _step.Tape.Recording = false;
            _step.Begin(batch.Rows);
            _step.HiddenStates = (layer, x) => tensor ??= x.FirstNonFinite() >= 0 ? layer == 0 ? "the embeddings" : $"the residual stream after block {layer - 1}" : null;
            _model.Hidden(_step);
            _step.HiddenStates = null;
        }
        return new DivergedException(number, tensor ?? "the loss", _checkpoints?.Newest);
    }
}
