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
    private readonly DoraFactors _factors;

    internal DoraLinear(AdapterBuilder builder, Linear layer, LoraSettings settings) : base(builder, layer)
    {
        _settings = settings;
        string key = AdapterFile.Prefix + layer.Path;
        A = builder.Parameter(key + ".lora_A.weight", new Shape(settings.Rank, layer.Inputs), settings.FillA);
        B = builder.Parameter(key + ".lora_B.weight", new Shape(layer.Outputs, settings.Rank), settings.FillB);
        _factors = new DoraFactors(builder, key, () => layer.Weight.Value, layer.Transposed, A, B, settings.Scale);
    }

    /// <summary><c>[rank, in]</c>.</summary>
    public Parameter A { get; }

    /// <summary><c>[out, rank]</c>.</summary>
    public Parameter B { get; }

    /// <summary>m, <c>[out]</c>.</summary>
    public Parameter Magnitude => _factors.Magnitude;

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
        y = tape.ScaleColumns(y, _factors.Of(tape));
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
        Tensor factors = _factors.Exactly(tape);
        AddLowRank(weight, Layer.Transposed, A.Value, B.Value, _settings.Scale);
        ScaleOutputs(weight, Layer.Transposed, factors);
    }

    /// <inheritdoc/>
    public override void Attach()
    {
        _factors.Forget();
        base.Attach();
    }
}
