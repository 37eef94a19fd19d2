using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>A bottleneck at the end of one sub-layer: <c>up(f(down(h))) · scaling</c>, with residuals as its settings say.</summary>
public sealed class Bottleneck : AdapterPart, IAdapter<Sublayer, SublayerInput>
{
    private readonly Sublayer _place;
    private readonly BottleneckSettings _settings;

    internal Bottleneck(AdapterBuilder builder, Sublayer place, int inner, BottleneckSettings settings)
    {
        _place = place;
        _settings = settings;
        string key = $"{place.Path}.adapters.{builder.Name}.";
        DownWeight = builder.Parameter(key + "adapter_down.0.weight", new Shape(inner, place.Hidden), FillDown);
        DownBias = builder.Parameter(key + "adapter_down.0.bias", new Shape(inner));
        UpWeight = builder.Parameter(key + "adapter_up.weight", new Shape(place.Hidden, inner), FillUp);
        UpBias = builder.Parameter(key + "adapter_up.bias", new Shape(place.Hidden));
    }

    /// <summary><c>[inner, hidden]</c>.</summary>
    public Parameter DownWeight { get; }

    /// <summary><c>[inner]</c>.</summary>
    public Parameter DownBias { get; }

    /// <summary><c>[hidden, inner]</c>.</summary>
    public Parameter UpWeight { get; }

    /// <summary><c>[hidden]</c>.</summary>
    public Parameter UpBias { get; }

    /// <inheritdoc/>
    public override void Attach() => _place.Attach(this);

    /// <inheritdoc/>
    public override void Detach() => _place.Detach(this);

    /// <inheritdoc/>
    public Tensor Forward(Sublayer place, SublayerInput input, Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Tape tape = step.Tape;
        (Tensor output, Tensor residual) = (input.Output, input.Residual);
        if (_settings.Parallel)
            return tape.Add(tape.Add(Run(residual, step), output), residual);
        Tensor given = _settings.SumBefore ? tape.Add(output, residual) : output;
        Tensor u = tape.Add(Run(given, step), _settings.Residual == BottleneckResidual.Output ? output : given);
        return _settings.SumAfter ? tape.Add(u, residual) : u;
    }

    private Tensor Run(Tensor x, Step step)
    {
        Tape tape = step.Tape;
        if (step.Training && _settings.Dropout > 0)
            x = tape.Dropout(x, _settings.Dropout);
        Tensor inner = tape.Activate(_settings.Activation, tape.Linear(x, DownWeight.Value, DownBias.Value));
        Tensor y = tape.Linear(inner, UpWeight.Value, UpBias.Value);
        return _settings.Scaling == 1 ? y : tape.Scale(y, _settings.Scaling);
    }

    private void FillDown(Tensor weight, Tape random)
    {
        if (_settings.StartsAtIdentity)
            random.FillUniform(weight, -1 / MathF.Sqrt(weight.Columns), 1 / MathF.Sqrt(weight.Columns));
        else
            random.FillNormal(weight, 0, 0.02f);
    }

    private void FillUp(Tensor weight, Tape random)
    {
        if (!_settings.StartsAtIdentity)
            random.FillNormal(weight, 0, 0.02f);
    }
}
