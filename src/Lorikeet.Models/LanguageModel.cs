using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>A backbone with a head on it. What the head makes of hidden states is the model's task.</summary>
public abstract class LanguageModel : Model
{
    /// <summary>Takes over what was gathered during construction.</summary>
    protected LanguageModel(ModelContext context, Backbone backbone) : base(context, backbone.Facts) => Backbone = backbone;

    /// <summary>What lies below the head.</summary>
    public Backbone Backbone { get; }

    /// <summary>The projection from hidden states to logits.</summary>
    public abstract Linear Head { get; }

    /// <inheritdoc/>
    public override Linear? OutputEmbedding => null;

    /// <summary>True where head and table were one weight in the checkpoint, and a merge has given one of them its own since.</summary>
    public bool Untied => Backbone.Tied && OutputEmbedding is { } head && head.Weight != InputEmbedding.Weight
        && (head.Weight.Name == NameOf(head) || (head.Weight.Name == NameOf(InputEmbedding) && InputEmbedding.Weight.Name == NameOf(InputEmbedding)));

    /// <summary>Every weight as a folder has it: those of the checkpoint, and two for head and table where these are <see cref="Untied"/>.</summary>
    public IReadOnlyList<Parameter> StoredWeights
    {
        get
        {
            if (!Untied)
                return Parameters;
            Parameter table = InputEmbedding.Weight, head = OutputEmbedding!.Weight;
            return
            [
                table, .. Parameters.Where(parameter => parameter != table && parameter != head),
                new Parameter(NameOf(OutputEmbedding), head.Value) { StoredType = head.StoredType },
            ];
        }
    }

    /// <inheritdoc/>
    public override Embedding InputEmbedding => Backbone.Embedding;

    /// <summary>Runs the pass that <see cref="Step.Begin"/> started, up to the final norm.</summary>
    /// <returns><c>[rows, hidden]</c>.</returns>
    public Tensor Hidden(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        step.ShiftPositions(LearnedPrefix);
        return Backbone.Hidden(step);
    }

    /// <summary>Logits of the given rows of hidden states, <c>[rows, vocabulary]</c> or <c>[rows, labels]</c>.</summary>
    public Tensor Logits(Step step, Tensor hidden) => Head.Forward(hidden, step);

    private static string NameOf(Module module) => module.Path + ".weight";

    /// <summary>Cross entropy, the mean over the rows that have a class.</summary>
    protected static Tensor MeanCrossEntropy(Step step, Tensor logits, Tensor classes)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(classes);
        int count = 0;
        foreach (int target in classes.Integers)
            count += target >= 0 ? 1 : 0;
        return step.Tape.CrossEntropy(logits, classes, 1f / Math.Max(1, count));
    }
}
