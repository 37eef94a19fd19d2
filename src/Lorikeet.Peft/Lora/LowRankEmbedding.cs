using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A low-rank update of an embedding, <c>s · Aᵀ[ids] Bᵀ</c>, which can be merged into its table.</summary>
public abstract class LowRankEmbedding : AdapterPart, IAdapter<Embedding, Tensor>
{
    private readonly Embedding _layer;
    private readonly float _scale;
    private readonly bool _tied;
    private MergedWeight? _merged;

    internal LowRankEmbedding(AdapterBuilder builder, Embedding layer, LoraSettings settings)
    {
        _layer = layer;
        _scale = settings.Scale;
        _tied = builder.IsTied(layer);
        string key = AdapterFile.Prefix + layer.Path;
        int vocabulary = layer.Weight.Value.Rows, dim = layer.Weight.Value.Columns;
        // the other way round than on linear layers: A starts at zero
        A = builder.Parameter(key + ".lora_embedding_A", new Shape(settings.Rank, vocabulary));
        B = builder.Parameter(key + ".lora_embedding_B", new Shape(dim, settings.Rank), (b, random) => random.FillNormal(b, 0, 1));
    }

    /// <summary><c>[rank, vocabulary]</c>.</summary>
    public Parameter A { get; }

    /// <summary><c>[dim, rank]</c>.</summary>
    public Parameter B { get; }

    /// <inheritdoc/>
    public override string? MergeObstacle => _tied ? LinearPart.TiedObstacle(_layer) : null;

    internal override IEnumerable<MergedWeight> MergedWeights => _merged is null ? [] : [_merged];

    /// <inheritdoc/>
    public abstract Tensor Forward(Embedding place, Tensor input, Step step);

    /// <inheritdoc/>
    public override void Attach() => _layer.Attach(this);

    /// <inheritdoc/>
    public override void Detach() => _layer.Detach(this);

    /// <inheritdoc/>
    public override void Merge()
    {
        Tensor weight = _layer.Weight.Value.ToF32();
        MergeInto(weight);
        _merged = new MergedWeight(_layer.Weight, weight);
        Detach();
    }

    /// <inheritdoc/>
    public override void Unmerge()
    {
        _merged!.Undo();
        _merged = null;
        Attach();
    }

    /// <summary>What is added to the rows of these ids.</summary>
    private protected Tensor Update(Tensor ids, Step step) =>
        step.Tape.Scale(step.Tape.Linear(step.Tape.SelectColumns(A.Value, ids), B.Value), _scale);

    /// <summary>Changes a copy of the table into the merged one.</summary>
    protected virtual void MergeInto(Tensor weight) => LinearPart.AddLowRank(weight, transposed: true, A.Value, B.Value, _scale);
}
