using System.Globalization;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli.Training;

/// <summary>Adds up what a run will need before it begins, and chooses how its passes are made where memory is limited.</summary>
internal sealed class MemoryPlanner
{
    /// <summary>Runtime, code, and what the products of one thread pack: measured on runs that hold little else.</summary>
    private const long ProgramBytes = 80_000_000;

    /// <summary>What a plan may take of a budget: runs have been seen to take up to 3 % more than planned, and nobody wants more than the budget.</summary>
    private const double ShareOfBudget = 0.97;

    private readonly CausalLm _model;
    private readonly TrainingOptions _options;
    private readonly Func<int, int> _rowsOf;
    private readonly long _weights, _trained, _managed;
    private readonly string[] _kinds;
    private readonly Dictionary<(string Kind, bool Checkpointed, DType Activations), BlockMemory> _measured = [];
    private readonly IReadOnlyList<Parameter> _parameters;

    /// <summary>A planner of one run.</summary>
    /// <param name="model">With its adapters attached.</param>
    /// <param name="parameters">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="rowsOf">Tokens of the largest pass that takes so many items.</param>
    public MemoryPlanner(CausalLm model, IReadOnlyList<Parameter> parameters, TrainingOptions options, Func<int, int> rowsOf)
    {
        (_model, _parameters, _options, _rowsOf) = (model, parameters, options, rowsOf);
        HashSet<Parameter> trains = [.. parameters];
        _weights = model.Parameters.Where(parameter => !trains.Contains(parameter)).Sum(parameter => parameter.Value.Bytes);
        _trained = Trainer.TrainedBytes(model, parameters, options);
        _kinds = [.. model.Backbone.Blocks.Select(KindOf)];
        // a tokenizer and rows of data are here already
        _managed = GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>What messages call the budget.</summary>
    public string Budget { get; init; } = "training.memory";

    /// <summary>What to do where it is too small.</summary>
    public string Remedy { get; init; } = "Give it more, or make it smaller: data.max_length, model.quantize: nf4-dq, training.activations: auto, a lower adapter.r";

    /// <summary>The plan of what the options say: with a budget, the fastest that keeps to it.</summary>
    /// <exception cref="InputException">No way of making passes keeps to the budget.</exception>
    public MemoryPlan Plan()
    {
        PassPlan asked = PassPlan.Of(_options, _kinds.Length);
        if (_options.Memory is not { } text)
            return Of(asked);
        long budget = MemorySize.Parse(text) ?? throw new InputException($"{Budget}: found {text}, expected a size: {MemorySize.Examples}");
        List<(double Cost, MemoryPlan Plan)> plans = [.. Candidates(asked).Select(passes => (CostOf(passes), Of(passes)))];
        if (plans.Where(candidate => candidate.Plan.Total <= ShareOfBudget * budget).OrderBy(candidate => candidate.Cost).FirstOrDefault().Plan is { } best)
            return best;
        MemoryPlan least = plans.MinBy(candidate => candidate.Plan.Total).Plan;
        throw new InputException(string.Create(CultureInfo.InvariantCulture,
            $"{Budget}: found {text}, expected at least {Math.Ceiling(least.Total / ShareOfBudget / 1e6):0}MB: with passes of {least.Description} this run takes about {least}. ") + Remedy);
    }

    private string Describe(PassPlan passes)
    {
        List<string> parts = [];
        if (passes.Items < _options.BatchSize)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{passes.Items} of {_options.BatchSize} rows"));
        if (passes.CheckpointedBlocks > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{passes.CheckpointedBlocks} of {_kinds.Length} blocks computed again"));
        if (passes.Activations == DType.BF16)
            parts.Add("activations in bf16");
        return parts.Count == 0 ? MemoryPlan.AsAsked : string.Join(", ", parts);
    }

    private IEnumerable<PassPlan> Candidates(PassPlan asked)
    {
        DType[] storages = _options.Activations == Precision.Auto ? [DType.F32, DType.BF16] : [asked.Activations];
        // weights that move inside the backward pass want the whole gradient in one
        for (int parts = 1, last = 0; parts <= (Trainer.MovesInBackward(_model, _parameters, _options) ? 1 : _options.BatchSize); parts++)
        {
            int items = (_options.BatchSize + parts - 1) / parts;
            if (items == last)
                continue;
            last = items;
            foreach (DType storage in storages)
            {
                for (int blocks = asked.CheckpointedBlocks; blocks <= _kinds.Length; blocks++)
                    yield return new PassPlan(items, blocks, storage);
            }
        }
    }

    // in units of a step without any of it. A block that runs again costs a third of its work; weights are packed once for each pass, which takes as
    // long as some 32 rows of its products; rounding passes over memory
    private double CostOf(PassPlan passes) => 1 + 0.3 * passes.CheckpointedBlocks / _kinds.Length + 32.0 / Math.Max(1, _rowsOf(passes.Items))
        + (passes.Activations == DType.BF16 ? 0.03 : 0);

    private MemoryPlan Of(PassPlan passes) => new(passes, Describe(passes), _weights, _trained, Activations(passes), ProgramBytes + _managed);

    /// <summary>The worst moment of the largest pass.</summary>
    private long Activations(PassPlan passes)
    {
        ModelFacts facts = _model.Facts;
        long rows = _rowsOf(passes.Items);
        double stream = facts.Hidden * sizeof(float), kept = 0, worst = 0;
        for (int i = 0; i < _kinds.Length; i++)
        {
            BlockMemory block = Measured(i, i < passes.CheckpointedBlocks, passes.Activations);
            worst = Math.Max(worst, kept + stream + block.Forward);
            kept += block.Kept;
            // the stream after the block is counted with what it keeps; its derivative comes back
            worst = Math.Max(worst, kept + 2 * stream + block.Backward);
        }
        // ids, positions, what each row sees, rotations
        double shared = 6 * sizeof(int) + 2.0 * facts.HeadDim * sizeof(float);
        return (long)Math.Max(rows * (worst + shared), rows * (kept + 3 * stream + shared) + HeadBytes(rows));
    }

    // logits exist in chunks
    private long HeadBytes(long rows)
    {
        ModelFacts facts = _model.Facts;
        long chunk = LinearCrossEntropyOp.RowsAtATime(rows, facts.Vocabulary);
        return chunk * (facts.Vocabulary + 2L * facts.Hidden + 2) * sizeof(float);
    }

    private BlockMemory Measured(int index, bool checkpointed, DType activations)
    {
        (string Kind, bool Checkpointed, DType Activations) key = (_kinds[index], checkpointed, activations);
        if (_measured.TryGetValue(key, out BlockMemory known))
            return known;
        Block block = _model.Backbone.Blocks[index];
        Parameter[] fresh = [.. ParametersOf(block).Where(parameter => !parameter.Trainable)];
        foreach (Parameter parameter in fresh)
            parameter.Trainable = true;
        BlockMemory measured = BlockMemory.Of(block, _model.Facts.Hidden, _rowsOf(1), checkpointed, activations);
        foreach (Parameter parameter in fresh)
            parameter.Trainable = false;
        return _measured[key] = measured;
    }

    // blocks that train parameters of the same names and shapes take the same memory
    private string KindOf(Block block) => string.Join(' ', ParametersOf(block).Select(parameter => parameter.Name.Replace(block.Path, "", StringComparison.Ordinal) + parameter.Shape));

    private IEnumerable<Parameter> ParametersOf(Block block) => _parameters.Where(parameter => parameter.Name.Contains(block.Path + ".", StringComparison.Ordinal));
}
