namespace Lorikeet.Nn;

/// <summary>The sizes of a model that methods need, whatever its architecture.</summary>
/// <param name="ModelType"><c>model_type</c> of config.json: it decides default target modules.</param>
/// <param name="Hidden">Columns of the residual stream.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads.</param>
/// <param name="HeadDim">Numbers of a head.</param>
/// <param name="Vocabulary">Token ids.</param>
/// <param name="ContextLength">Positions it was made for.</param>
public sealed record ModelFacts(string ModelType, int Hidden, int Layers, int Heads, int KvHeads, int HeadDim, int Vocabulary, int ContextLength);

/// <summary>A model as methods and trainers see it: named modules, named parameters, and its sizes.</summary>
public abstract class Model : IDisposable
{
    private readonly ModelContext _context;

    /// <summary>Takes over what was gathered during construction.</summary>
    protected Model(ModelContext context, ModelFacts facts)
    {
        _context = context;
        Facts = facts;
    }

    /// <summary>Sizes.</summary>
    public ModelFacts Facts { get; }

    /// <summary>What its head is for, in PEFT's words: <c>CAUSAL_LM</c>, <c>SEQ_CLS</c>, <c>TOKEN_CLS</c>.</summary>
    public abstract string TaskType { get; }

    /// <summary>Positions that learned rows take before the first token (prefix tuning): the tokens' own are counted behind them.</summary>
    public int LearnedPrefix { get; set; }

    /// <summary>Every module, in the order of construction.</summary>
    public IReadOnlyList<Module> Modules => _context.Modules;

    /// <summary>Every weight of the checkpoint, in the order of use; a tied one stands once.</summary>
    public IReadOnlyList<Parameter> Parameters => _context.Parameters;

    /// <summary>Names in the checkpoint that the model does not use.</summary>
    public IEnumerable<string> UnusedWeights => _context.Unused;

    /// <summary>What somebody should know of how the weights are kept.</summary>
    public IReadOnlyList<string> Remarks => _context.Source.Remarks;

    /// <summary>The projection to the vocabulary, or null where the model has none.</summary>
    public abstract Linear? OutputEmbedding { get; }

    /// <summary>The table of token embeddings.</summary>
    public abstract Embedding InputEmbedding { get; }

    /// <summary>Sets whether training changes the checkpoint's own weights.</summary>
    public void SetTrainable(bool trainable)
    {
        foreach (Parameter parameter in Parameters)
            parameter.Trainable = trainable;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Source.Dispose();
        GC.SuppressFinalize(this);
    }
}
