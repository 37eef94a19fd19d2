using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>
/// A model that gives each text a number for each label (<c>…ForSequenceClassification</c>): classes, several labels at once, a regression, a
/// reward. The numbers are read at the last token that is no padding.
/// </summary>
public sealed class SequenceClassifier : LanguageModel
{
    /// <summary>Builds the model from a source of weights.</summary>
    /// <param name="source">The model owns it.</param>
    /// <param name="backbone">Builds what lies below the head, from the root of the weights.</param>
    /// <param name="config">Labels, kind of problem, padding.</param>
    /// <exception cref="InputException">Weights are missing or have another shape; all are listed.</exception>
    public SequenceClassifier(ITensorSource source, Func<Weights, Backbone> backbone, ClassifierConfig config) : this(new ModelContext(source), backbone, config) { }

    private SequenceClassifier(ModelContext context, Func<Weights, Backbone> backbone, ClassifierConfig config) : base(context, backbone(new Weights(context)))
    {
        Config = config;
        Head = new Linear(new Weights(context) / "score", Facts.Hidden, config.Labels.Count, bias: false);
        context.ThrowIfBroken();
    }

    /// <summary>Labels, kind of problem, padding.</summary>
    public ClassifierConfig Config { get; }

    /// <inheritdoc/>
    public override Linear Head { get; }

    /// <inheritdoc/>
    public override string TaskType => "SEQ_CLS";

    /// <summary>
    /// Where a text's numbers are read: the last position whose id is not the padding's, whatever a mask says; the first where all are padding; the
    /// last where the model knows no padding.
    /// </summary>
    /// <param name="ids">The text, padding included.</param>
    public int PooledPosition(ReadOnlySpan<int> ids) => Config.PadToken is { } pad ? Math.Max(0, ids.LastIndexOfAnyExcept(pad)) : ids.Length - 1;

    /// <summary>The rows of a batch at which its texts' numbers are read, one for each sequence.</summary>
    public int[] PooledRows(RaggedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        int[] rows = new int[batch.Sequences];
        for (int sequence = 0; sequence < rows.Length; sequence++)
            rows[sequence] = batch.Start(sequence) + PooledPosition(batch.Ids.Slice(batch.Start(sequence), batch.Length(sequence)));
        return rows;
    }

    /// <summary>What the numbers mean for labels of a type: as configured, or else one label is a regression, whole numbers are classes, others yes and no.</summary>
    /// <param name="wholeNumbers">True where labels are stored as whole numbers.</param>
    public ProblemType ProblemOf(bool wholeNumbers) => Config.Problem ?? (Head.Outputs, wholeNumbers) switch
    {
        (1, _) => ProblemType.Regression,
        (_, true) => ProblemType.SingleLabel,
        _ => ProblemType.MultiLabel,
    };

    /// <summary>The mean loss of a batch.</summary>
    /// <param name="step">The pass.</param>
    /// <param name="logits"><c>[texts, labels]</c>: <see cref="LanguageModel.Logits"/> of the pooled rows.</param>
    /// <param name="labels"><c>[texts]</c> i32 classes, negative where there is none; or <c>[texts, labels]</c> f32 for the other kinds.</param>
    /// <returns>One number: cross entropy over texts with a class, or the mean over all numbers of squared error or binary cross entropy.</returns>
    /// <exception cref="ArgumentException">The labels are of the wrong type or shape for the kind of problem.</exception>
    public Tensor Loss(Step step, Tensor logits, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        float share = 1f / Math.Max(1, logits.Shape.Elements);
        return ProblemOf(labels.Type == DType.I32) switch
        {
            ProblemType.SingleLabel => MeanCrossEntropy(step, logits, labels),
            ProblemType.Regression => step.Tape.SquaredError(logits, labels, share),
            _ => step.Tape.BinaryCrossEntropy(logits, labels, share),
        };
    }
}
