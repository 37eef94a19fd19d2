using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>DoRA's <c>m / n</c> of one weight: m is learned, n the norm of what each output of <c>W + s · B A</c> is made from.</summary>
internal sealed class DoraFactors
{
    private readonly Func<Tensor> _weight;
    private readonly bool _transposed;
    private readonly Parameter _a, _b;
    private readonly float _scale;
    private Known? _known;

    /// <summary>Reads m, or starts it at the norms.</summary>
    /// <param name="builder">Makes the parameter.</param>
    /// <param name="key">What its name begins with.</param>
    /// <param name="weight">The base's weight as it is now.</param>
    /// <param name="transposed">It is <c>[in, out]</c>, as a table of embeddings is.</param>
    /// <param name="a"><c>[rank, in]</c>.</param>
    /// <param name="b"><c>[out, rank]</c>.</param>
    /// <param name="scale">s.</param>
    public DoraFactors(AdapterBuilder builder, string key, Func<Tensor> weight, bool transposed, Parameter a, Parameter b, float scale)
    {
        (_weight, _transposed, _a, _b, _scale) = (weight, transposed, a, b, scale);
        int outputs = transposed ? weight().Columns : weight().Rows;
        Magnitude = builder.Parameter(key + ".lora_magnitude_vector", new Shape(outputs), (m, random) => m.CopyFrom(NormsOf(random)));
    }

    /// <summary>m, <c>[out]</c>.</summary>
    public Parameter Magnitude { get; }

    /// <summary>Drops what is kept.</summary>
    public void Forget() => _known = null;

    /// <summary>m / n, nothing kept.</summary>
    public Tensor Exactly(Tape tape) => Divided(tape, null);

    private Tensor NormsOf(Tape tape, Tensor? squares = null) => tape.LowRankNorms(_weight(), _transposed, _a.Value, _b.Value, _scale, squares);

    /// <summary>m / n: kept while nothing of it is trained; while the adapter is, only the weight's own squares stay what they are.</summary>
    public Tensor Of(Tape tape)
    {
        Tensor weight = _weight(), a = _a.Value, b = _b.Value, magnitude = Magnitude.Value;
        if (weight.RequiresGrad)
            return Divided(tape, null);
        if (_known?.Weight != weight)
            _known = new Known(weight, LowRankNormsOp.OutputSquares(weight, _transposed));
        if (a.RequiresGrad || b.RequiresGrad || magnitude.RequiresGrad)
        {
            _known.Factors = null;
            return Divided(tape, _known.Squares);
        }
        if (_known.Factors is null || _known.A != a || _known.B != b || _known.Magnitude != magnitude)
        {
            Tensor factors = Tensor.Create(magnitude.Shape);
            factors.CopyFrom(Divided(tape, _known.Squares));
            (_known.A, _known.B, _known.Magnitude, _known.Factors) = (a, b, magnitude, factors);
        }
        return _known.Factors;
    }

    private Tensor Divided(Tape tape, Tensor? squares) => tape.Multiply(Magnitude.Value, tape.Reciprocal(NormsOf(tape, squares)));

    /// <summary>What need not be computed again, and the tensors that it was computed from.</summary>
    private sealed class Known(Tensor weight, Tensor squares)
    {
        public Tensor Weight { get; } = weight;

        public Tensor Squares { get; } = squares;

        public Tensor? A { get; set; }

        public Tensor? B { get; set; }

        public Tensor? Magnitude { get; set; }

        public Tensor? Factors { get; set; }
    }
}
