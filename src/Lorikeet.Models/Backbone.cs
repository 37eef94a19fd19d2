using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>What lies below a model's head: from token ids to hidden states. One file per architecture.</summary>
public abstract class Backbone
{
    /// <summary>A backbone of these sizes.</summary>
    protected Backbone(ModelFacts facts) => Facts = facts;

    /// <summary>Sizes.</summary>
    public ModelFacts Facts { get; }

    /// <summary>The table of token embeddings.</summary>
    public abstract Embedding Embedding { get; }

    /// <summary>The blocks, the lowest first.</summary>
    public abstract IReadOnlyList<Block> Blocks { get; }

    /// <summary>True where the head of a language model is the embedding.</summary>
    public abstract bool Tied { get; }

    /// <summary>Runs the pass that <see cref="Step.Begin"/> started, up to the final norm.</summary>
    /// <returns><c>[rows, hidden]</c>.</returns>
    public abstract Tensor Hidden(Step step);

    /// <summary>Adds NEFTune's noise to embeddings while training: uniform, of size alpha / sqrt(length · hidden).</summary>
    protected static Tensor AddNoise(Step step, Tensor embeddings)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!step.Training || step.NoiseAlpha <= 0)
            return embeddings;
        Tensor noise = step.Tape.New(embeddings.Shape);
        for (int sequence = 0; sequence < step.Batch.Sequences; sequence++)
        {
            int length = step.Batch.Length(sequence);
            float bound = step.NoiseAlpha / MathF.Sqrt((float)length * embeddings.Columns);
            step.Tape.FillUniform(step.Tape.RowRange(noise, step.Batch.Start(sequence), length), -bound, bound);
        }
        return step.Tape.Add(embeddings, noise);
    }

    /// <summary>Counts the rows of this pass in every cache, once all layers have theirs.</summary>
    protected static void AdvanceCaches(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        for (int sequence = 0; step.Caches is not null && sequence < step.Caches.Count; sequence++)
            step.Caches[sequence].Advance(step.Batch.Length(sequence));
    }
}
