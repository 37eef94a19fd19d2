using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>A model that predicts the next token.</summary>
public sealed class CausalLm : LanguageModel
{
    /// <summary>Builds the model from a source of weights.</summary>
    /// <param name="source">The model owns it.</param>
    /// <param name="backbone">Builds what lies below the head, from the root of the weights.</param>
    /// <exception cref="InputException">Weights are missing or have another shape; all are listed.</exception>
    public CausalLm(ITensorSource source, Func<Weights, Backbone> backbone) : this(new ModelContext(source), backbone) { }

    private CausalLm(ModelContext context, Func<Weights, Backbone> backbone) : base(context, backbone(new Weights(context)))
    {
        Weights head = new Weights(context) / "lm_head";
        Head = Backbone.Tied
            ? new Linear(head, InputEmbedding.Weight, Facts.Hidden, Facts.Vocabulary)
            : new Linear(head, Facts.Hidden, Facts.Vocabulary, bias: false);
        context.ThrowIfBroken();
    }

    /// <inheritdoc/>
    public override Linear Head { get; }

    /// <inheritdoc/>
    public override Linear OutputEmbedding => Head;

    /// <inheritdoc/>
    public override string TaskType => "CAUSAL_LM";

    /// <summary>
    /// The loss: <c>scale · Σ -log p(target)</c>. <paramref name="targets"/> are those of each row itself (shifted already): the token that
    /// comes next, or negative.
    /// </summary>
    /// <param name="step">The pass.</param>
    /// <param name="hidden">What <see cref="LanguageModel.Hidden"/> returned.</param>
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
        Tensor rows = step.Tape.New(new Shape(count), DType.I32);
        Tensor wanted = step.Tape.New(new Shape(count), DType.I32);
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

    /// <summary>Memory for the keys and values of texts that are written with this model; each text has a <see cref="KvCache"/> in it.</summary>
    /// <param name="type">Their storage: F32, BF16 or I8.</param>
    public KvPool NewPool(DType type = DType.F32) => new(new KvLayout(Facts.Layers, Facts.KvHeads, Facts.HeadDim, Facts.HeadDim, type));
}
