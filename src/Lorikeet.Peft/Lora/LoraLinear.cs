using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>LoRA on a linear layer: <c>y = W x + b + s · B A drop(x)</c>.</summary>
public sealed class LoraLinear : LinearPart
{
    private readonly LoraSettings _settings;

    internal LoraLinear(AdapterBuilder builder, Linear layer, LoraSettings settings) : base(builder, layer)
    {
        _settings = settings;
        string key = AdapterFile.Prefix + layer.Path;
        A = builder.Parameter(key + ".lora_A.weight", new Shape(settings.Rank, layer.Inputs), settings.FillA);
        B = builder.Parameter(key + ".lora_B.weight", new Shape(layer.Outputs, settings.Rank), settings.FillB);
        if (settings.Bias)
            Bias = builder.Parameter(key + ".lora_B.bias", new Shape(layer.Outputs));
    }

    /// <summary><c>[rank, in]</c>.</summary>
    public Parameter A { get; }

    /// <summary><c>[out, rank]</c>.</summary>
    public Parameter B { get; }

    /// <summary><c>[out]</c>, added s times, or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>alpha / rank, or alpha / sqrt(rank).</summary>
    public float Scale => _settings.Scale;

    /// <inheritdoc/>
    public override string? MergeObstacle =>
        Bias is not null && Layer.Bias is null ? $"{Layer.Path} has no bias that could hold the adapter's (lora_bias)" : base.MergeObstacle;

    /// <inheritdoc/>
    public override Tensor Forward(Linear place, Tensor input, Step step)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(step);
        Tape tape = step.Tape;
        float dropout = step.Training ? _settings.Dropout : 0;
        Tensor y;
        if (place.IsInnermost(this))
        {
            y = tape.LowRankLinear(input, place.Weight.Value, place.Bias?.Value, place.Transposed, A.Value, B.Value, Scale, dropout);
        }
        else
        {
            Tensor beneath = place.Beneath(this, input, step);
            Tensor update = tape.Linear(tape.Linear(tape.Dropout(input, dropout), A.Value), B.Value);
            y = tape.AddTo(beneath, tape.Scale(update, Scale));
        }
        return Bias is null ? y : tape.AddBias(y, tape.Scale(Bias.Value, Scale));
    }

    /// <inheritdoc/>
    protected override void MergeInto(Tensor weight, Tensor? bias)
    {
        AddLowRank(weight, Layer.Transposed, A.Value, B.Value, Scale);
        if (Bias is not null)
            AddScaled(bias!, Bias.Value, Scale);
    }
}
