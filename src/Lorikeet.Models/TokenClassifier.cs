using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>A model that gives each token a number for each label (<c>…ForTokenClassification</c>): names in a text, parts of speech.</summary>
public sealed class TokenClassifier : LanguageModel
{
    /// <summary>Builds the model from a source of weights.</summary>
    /// <param name="source">The model owns it.</param>
    /// <param name="backbone">Builds what lies below the head, from the root of the weights.</param>
    /// <param name="config">Labels.</param>
    /// <exception cref="InputException">Weights are missing or have another shape; all are listed.</exception>
    public TokenClassifier(ITensorSource source, Func<Weights, Backbone> backbone, ClassifierConfig config) : this(new ModelContext(source), backbone, config) { }

    private TokenClassifier(ModelContext context, Func<Weights, Backbone> backbone, ClassifierConfig config) : base(context, backbone(new Weights(context)))
    {
        Config = config;
        // GPT-2 calls it otherwise than the rest
        Head = new Linear(new Weights(context) / (Backbone is Gpt2 ? "classifier" : "score"), Facts.Hidden, config.Labels.Count, bias: true);
        context.ThrowIfBroken();
    }

    /// <summary>Labels.</summary>
    public ClassifierConfig Config { get; }

    /// <inheritdoc/>
    public override Linear Head { get; }

    /// <inheritdoc/>
    public override string TaskType => "TOKEN_CLS";

    /// <summary>The mean cross entropy of all tokens that have a label.</summary>
    /// <param name="step">The pass.</param>
    /// <param name="logits"><c>[rows, labels]</c>.</param>
    /// <param name="labels"><c>[rows]</c> i32: the label of each token itself, negative where there is none.</param>
    public static Tensor Loss(Step step, Tensor logits, Tensor labels) => MeanCrossEntropy(step, logits, labels);
}
