using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>LoRA on an embedding: <c>y = E[ids] + s · Aᵀ[ids] Bᵀ</c>.</summary>
public sealed class LoraEmbedding : AdapterPart, IAdapter<Embedding, Tensor>
{
    private readonly Embedding _layer;
    private readonly float _scale;
    private readonly bool _tied;
    private MergedWeight? _merged;

    internal LoraEmbedding(AdapterBuilder builder, Embedding layer, LoraSettings settings)
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
    public Tensor Forward(Embedding place, Tensor input, Step step)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(step);
        Tensor rows = step.Tape.SelectColumns(A.Value, input);
        Tensor update = step.Tape.Scale(step.Tape.Linear(rows, B.Value), _scale);
        return step.Tape.Add(place.Beneath(this, input, step), update);
    }

    /// <inheritdoc/>
    public override void Attach() => _layer.Attach(this);

    /// <inheritdoc/>
    public override void Detach() => _layer.Detach(this);

    /// <inheritdoc/>
    public override void Merge()
    {
        Tensor weight = _layer.Weight.Value.ToF32();
        LinearPart.AddLowRank(weight, transposed: true, A.Value, B.Value, _scale);
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
}
