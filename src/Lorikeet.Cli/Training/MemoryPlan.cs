using System.Globalization;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Training;

namespace Lorikeet.Cli.Training;

/// <summary>What memory a run will need, from sizes alone.</summary>
/// <param name="Weights">Of the frozen model, as stored.</param>
/// <param name="Trained">Values, gradients and two moments of what is trained.</param>
/// <param name="Activations">The largest batch between forward and backward.</param>
/// <param name="Program">Runtime, code and buffers of the products.</param>
internal sealed record MemoryPlan(long Weights, long Trained, long Activations, long Program)
{
    /// <summary>All of it.</summary>
    public long Total => Weights + Trained + Activations + Program;

    /// <summary>The plan of a run.</summary>
    public static MemoryPlan Of(TrainingRun run)
    {
        CausalLm model = run.Model;
        ModelFacts facts = model.Facts;
        HashSet<Parameter> trains = [.. run.Parameters];
        long weights = model.Parameters.Where(parameter => !trains.Contains(parameter)).Sum(parameter => parameter.Value.Bytes);
        long trained = Trainer.TrainedBytes(model, run.Parameters, run.Recipe.Training);
        int rows = run.Data.Train.LargestBatch(run.Recipe.Training.BatchSize);
        // what a block keeps for its derivative: the stream twice, two norms, q, k, v, attention, and the inputs of the gated unit
        int intermediate = model.Backbone switch { Decoder decoder => decoder.Config.Intermediate, Gpt2 gpt2 => gpt2.Config.Inner, _ => 4 * facts.Hidden };
        int gates = model.Backbone is Decoder ? 3 : 2;
        long query = (long)facts.Heads * facts.HeadDim, key = (long)facts.KvHeads * facts.HeadDim;
        long block = 4L * facts.Hidden + 2 * query + 2 * key + (long)gates * intermediate + facts.Heads + 2;
        long kept = run.Recipe.Training.GradientCheckpointing ? (long)facts.Layers * facts.Hidden + 2 * block : (long)facts.Layers * block + 2L * intermediate + 4L * facts.Hidden;
        long chunk = Math.Min(rows, Math.Max(64, (8L << 20) / facts.Vocabulary));
        long logits = chunk * (facts.Vocabulary + 2L * facts.Hidden) + 2L * rows * facts.Hidden;
        return new MemoryPlan(weights, trained, (rows * kept + logits) * sizeof(float), 90_000_000);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"weights {Weights / 1e6:N0}, trained weights and optimiser {Trained / 1e6:N0}, activations {Activations / 1e6:N0}, program {Program / 1e6:N0}");
}
