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
        Tensor u = Through(place, input, step);
        if (_settings.Parallel)
            u = tape.Add(u, input.Output);
        return _settings.SumAfter || _settings.Parallel ? tape.Add(u, input.Residual) : u;
    }

    // several on one place are AdapterHub's Stack: each is given what comes out of the one before, and the last one joins the residual stream
    private Tensor Through(Sublayer place, SublayerInput input, Step step)
    {
        Tape tape = step.Tape;
        if (_settings.Parallel)
            return Run(input.Residual, step);
        Tensor output = place.IsInnermost(this) ? input.Output : Below(place).Through(place, input, step);
        Tensor given = _settings.SumBefore ? tape.Add(output, input.Residual) : output;
        return tape.Add(Run(given, step), _settings.Residual == BottleneckResidual.Output ? output : given);
    }

    private Bottleneck Below(Sublayer place)
    {
        int index = 1;
        while (place.Adapters[index] != this)
            index++;
        return (Bottleneck)place.Adapters[index - 1];
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
