using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A part that acts on a linear layer and can be merged into its weight.</summary>
public abstract class LinearPart : AdapterPart, IAdapter<Linear, Tensor>
{
    private readonly bool _tied;
    private MergedWeight? _weight, _bias;

    /// <summary>A part for this layer of the builder's model.</summary>
    protected LinearPart(AdapterBuilder builder, Linear layer)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Layer = layer;
        _tied = builder.IsTied(layer);
    }

    /// <summary>The layer.</summary>
    public Linear Layer { get; }

    /// <inheritdoc/>
    public override string? MergeObstacle => _tied ? TiedObstacle(Layer) : null;

    internal override IEnumerable<MergedWeight> MergedWeights => new[] { _weight, _bias }.OfType<MergedWeight>();

    /// <inheritdoc/>
    public abstract Tensor Forward(Linear place, Tensor input, Step step);

    /// <inheritdoc/>
    public override void Attach() => Layer.Attach(this);

    /// <inheritdoc/>
    public override void Detach() => Layer.Detach(this);

    /// <inheritdoc/>
    public override void Merge()
    {
        Tensor weight = Layer.Weight.Value.ToF32();
        Tensor? bias = Layer.Bias?.Value.ToF32();
        MergeInto(weight, bias);
        _weight = new MergedWeight(Layer.Weight, weight);
        if (bias is not null)
            _bias = new MergedWeight(Layer.Bias!, bias);
        Detach();
    }

    /// <inheritdoc/>
    public override void Unmerge()
    {
        if (_weight is null)
            throw new InvalidOperationException($"{Layer.Path} was not merged");
        _weight.Undo();
        _bias?.Undo();
        (_weight, _bias) = (null, null);
        Attach();
    }

    /// <summary>Changes copies of weight (in its own orientation) and bias into the merged ones.</summary>
    protected abstract void MergeInto(Tensor weight, Tensor? bias);

    /// <summary>Why a module that shares its weight with another one is not merged into.</summary>
    internal static string TiedObstacle(Module module) =>
        $"{module.Path} shares one tied weight with the other end of the model (tie_word_embeddings), which a merge would change too";

    /// <summary><c>W += s · B A</c>, where a transposed W is <c>[in, out]</c>.</summary>
    internal static void AddLowRank(Tensor weight, bool transposed, Tensor a, Tensor b, float scale)
    {
        using Tape tape = new();
        // both orders are products of the thin factors; the weight's own orientation decides which side is outermost
        Tensor delta = transposed ? tape.MatMul(a, b, transposeA: true) : tape.MatMul(b, a, transposeB: true);
        AddScaled(weight, delta, scale);
    }

    /// <summary><c>y += s · x</c>.</summary>
    internal static void AddScaled(Tensor y, Tensor x, float scale)
    {
        Span<float> to = y.Values, from = x.Values;
        for (int i = 0; i < to.Length; i++)
            to[i] += scale * from[i];
    }

    /// <summary>Multiplies what each output is made from by a factor.</summary>
    internal static void ScaleOutputs(Tensor weight, bool transposed, Tensor factors)
    {
        Span<float> f = factors.Values;
        for (int row = 0; row < weight.Rows; row++)
        {
            Span<float> values = weight.Row(row);
            for (int i = 0; i < values.Length; i++)
                values[i] *= transposed ? f[i] : f[row];
        }
    }
}
