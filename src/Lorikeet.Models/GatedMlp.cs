using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>The gated feed-forward unit: <c>down(f(gate x) · up x)</c>.</summary>
internal sealed class GatedMlp
{
    private readonly Linear? _gateUp, _gate, _up;
    private readonly Linear _down;
    private readonly Activation _activation;
    private readonly int _intermediate;

    public GatedMlp(Weights weights, DecoderConfig config)
    {
        _activation = config.Activation;
        _intermediate = config.Intermediate;
        if (config.Fused)
        {
            _gateUp = new Linear(weights / "gate_up_proj", config.Hidden, 2 * config.Intermediate, config.MlpBias);
        }
        else
        {
            _gate = new Linear(weights / "gate_proj", config.Hidden, config.Intermediate, config.MlpBias);
            _up = new Linear(weights / "up_proj", config.Hidden, config.Intermediate, config.MlpBias);
        }
        _down = new Linear(weights / "down_proj", config.Intermediate, config.Hidden, config.MlpBias);
    }

    public Tensor Forward(Tensor x, Step step)
    {
        Tensor gate, up;
        if (_gateUp is not null)
        {
            Tensor fused = _gateUp.Forward(x, step);
            gate = step.Tape.Columns(fused, 0, _intermediate);
            up = step.Tape.Columns(fused, _intermediate, _intermediate);
        }
        else
        {
            Span<Tensor> both = [null!, null!];
            Linear.Forward([_gate!, _up!], x, step, both);
            (gate, up) = (both[0], both[1]);
        }
        return _down.Forward(step.Tape.Gated(_activation, gate, up), step);
    }
}
