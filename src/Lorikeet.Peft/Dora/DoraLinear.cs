using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>
/// DoRA on a linear layer (Liu et al. 2024, arXiv:2402.09353): <c>y = b + (m / n) ⊙ (W x + s · B A x)</c>, where n is the norm of each row of
/// <c>W + s · B A</c>, through which no derivative passes. Dropout acts on what is added to the base, as in PEFT:
/// <c>y = b + W x + (m / n - 1) ⊙ W drop(x) + (m / n) ⊙ s · B A drop(x)</c>.
/// </summary>
public sealed class DoraLinear : LinearPart
{
    private readonly LoraSettings _settings;
    private Known? _known;

    internal DoraLinear(AdapterBuilder builder, Linear layer, LoraSettings settings) : base(builder, layer)
    {
        _settings = settings;
        string key = AdapterFile.Prefix + layer.Path;
        A = builder.Parameter(key + ".lora_A.weight", new Shape(settings.Rank, layer.Inputs), settings.FillA);
        B = builder.Parameter(key + ".lora_B.weight", new Shape(layer.Outputs, settings.Rank), settings.FillB);
        Magnitude = builder.Parameter(key + ".lora_magnitude_vector", new Shape(layer.Outputs), (m, random) => m.CopyFrom(NormsOf(random)));
    }

    /// <summary><c>[rank, in]</c>.</summary>
    public Parameter A { get; }

    /// <summary><c>[out, rank]</c>.</summary>
    public Parameter B { get; }

    /// <summary>m, <c>[out]</c>.</summary>
    public Parameter Magnitude { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Linear place, Tensor input, Step step)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(step);
        if (!place.IsInnermost(this))
            throw new InputException($"{place.Path}: DoRA rescales the base weight and must be the first adapter on its layer");
        Tape tape = step.Tape;
        Tensor seen = step.Training ? tape.Dropout(input, _settings.Dropout) : input;
        Tensor y = tape.LowRankLinear(seen, place.Weight.Value, null, place.Transposed, A.Value, B.Value, _settings.Scale);
        y = tape.ScaleColumns(y, Factors(tape));
        if (seen == input)
            return place.Bias is null ? y : tape.AddBias(y, place.Bias.Value);
        // the base sees all of x: what dropout left out or enlarged passes it alone
        Tensor unseen = tape.Add(input, tape.Scale(seen, -1));
        return tape.AddTo(y, place.Plain(unseen, step));
    }

    /// <inheritdoc/>
    protected override void MergeInto(Tensor weight, Tensor? bias)
    {
        using Tape tape = new();
        Tensor factors = tape.Multiply(Magnitude.Value, tape.Reciprocal(NormsOf(tape)));
        AddLowRank(weight, Layer.Transposed, A.Value, B.Value, _settings.Scale);
        ScaleOutputs(weight, Layer.Transposed, factors);
    }

    /// <inheritdoc/>
    public override void Attach()
    {
        _known = null;
        base.Attach();
    }

    private Tensor NormsOf(Tape tape, Tensor? squares = null) => tape.LowRankNorms(Layer.Weight.Value, Layer.Transposed, A.Value, B.Value, _settings.Scale, squares);

    // m / n: kept while nothing of it is trained; while the adapter is, only the weight's own squares stay what they are
    private Tensor Factors(Tape tape)
    {
        Tensor weight = Layer.Weight.Value, a = A.Value, b = B.Value, magnitude = Magnitude.Value;
        if (weight.RequiresGrad)
            return Divided(tape, null);
        if (_known?.Weight != weight)
            _known = new Known(weight, LowRankNormsOp.OutputSquares(weight, Layer.Transposed));
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
