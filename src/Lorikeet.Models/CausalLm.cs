using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>A model that predicts the next token.</summary>
public abstract class CausalLm : Model
{
    /// <summary>Takes over what was gathered during construction.</summary>
    protected CausalLm(ModelContext context, ModelFacts facts) : base(context, facts) { }

    /// <summary>The projection from hidden states to logits.</summary>
    public abstract Linear Head { get; }

    /// <inheritdoc/>
    public override Linear OutputEmbedding => Head;

    /// <summary>Runs the pass that <see cref="Step.Begin"/> started, up to the final norm.</summary>
    /// <returns><c>[rows, hidden]</c>.</returns>
    public abstract Tensor Hidden(Step step);

    /// <summary>Logits of the given rows of hidden states, <c>[rows, vocabulary]</c>.</summary>
    public Tensor Logits(Step step, Tensor hidden) => Head.Forward(hidden, step);

    /// <summary>
    /// The loss: <c>scale · Σ -log p(target)</c>. <paramref name="targets"/> are those of each row itself (shifted already): the token that
    /// comes next, or negative.
    /// </summary>
    /// <param name="step">The pass.</param>
    /// <param name="hidden">What <see cref="Hidden"/> returned.</param>
    /// <param name="targets"><c>[rows]</c> i32.</param>
    /// <param name="scale">Usually 1 / number of targets of the whole optimiser step.</param>
    /// <param name="labelSmoothing">Share of the target's probability that is spread over all tokens.</param>
    /// <param name="tokenLosses">Receives -log p of each target, where not null.</param>
    public Tensor Loss(Step step, Tensor hidden, Tensor targets, float scale, float labelSmoothing = 0, Tensor? tokenLosses = null)
    {
        if (Head.Adapters.Count == 0)
            return step.Tape.LinearCrossEntropy(hidden, Head.Weight.Value, Head.Bias?.Value, targets, scale, labelSmoothing, tokenLosses: tokenLosses);
        // an adapted head is no plain product: only the rows that have a target go through it
        Span<int> all = targets.Integers;
        int count = 0;
        foreach (int target in all)
            count += target >= 0 ? 1 : 0;
        Tensor rows = step.Tape.New(new Shape(count), Kernels.DType.I32);
        Tensor wanted = step.Tape.New(new Shape(count), Kernels.DType.I32);
        for (int row = 0, at = 0; row < all.Length; row++)
        {
            if (all[row] < 0)
                continue;
            rows.Integers[at] = row;
            wanted.Integers[at++] = all[row];
        }
        Tensor logits = Logits(step, step.Tape.SelectRows(hidden, rows));
        return step.Tape.CrossEntropy(logits, wanted, scale, labelSmoothing, tokenLosses);
    }

    /// <summary>An empty cache for one sequence.</summary>
    /// <param name="capacity">Tokens to make room for.</param>
    public KvCache NewCache(int capacity) =>
        new(Facts.Layers, Facts.KvHeads * Facts.HeadDim, Facts.KvHeads * Facts.HeadDim, capacity);

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
