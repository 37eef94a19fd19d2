using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>Projections, rotation and attention of the Llama family.</summary>
internal sealed class DecoderAttention
{
    private readonly Linear? _qkv, _q, _k, _v;
    private readonly Linear _output;
    private readonly Norm? _queryNorm, _keyNorm;
    private readonly RotaryEmbedding? _rotary;
    private readonly AttentionCore _core;
    private readonly int _queries, _keys, _headDim;

    public DecoderAttention(Weights weights, DecoderConfig config, int layer, RotaryEmbedding? rotary)
    {
        _headDim = config.HeadDim;
        _queries = config.Heads * config.HeadDim;
        _keys = config.KvHeads * config.HeadDim;
        _rotary = rotary;
        if (config.Fused)
        {
            _qkv = new Linear(weights / "qkv_proj", config.Hidden, _queries + 2 * _keys, config.QkvBias);
        }
        else
        {
            _q = new Linear(weights / "q_proj", config.Hidden, _queries, config.QkvBias);
            _k = new Linear(weights / "k_proj", config.Hidden, _keys, config.QkvBias);
            _v = new Linear(weights / "v_proj", config.Hidden, _keys, config.QkvBias);
        }
        if (config.QkNorm)
        {
            _queryNorm = new RmsNorm(weights / "q_norm", config.HeadDim, config.NormEpsilon);
            _keyNorm = new RmsNorm(weights / "k_norm", config.HeadDim, config.NormEpsilon);
        }
        _core = new AttentionCore(weights, layer, config.Heads, config.KvHeads, config.HeadDim, 1 / MathF.Sqrt(config.HeadDim), config.Windows[layer]);
        _output = new Linear(weights / "o_proj", _queries, config.Hidden, config.OutputBias);
    }

    public Tensor Forward(Tensor x, Step step)
    {
        Tensor q, k, v;
        if (_qkv is not null)
        {
            Tensor qkv = _qkv.Forward(x, step);
            q = step.Tape.Columns(qkv, 0, _queries);
            k = step.Tape.Columns(qkv, _queries, _keys);
            v = step.Tape.Columns(qkv, _queries + _keys, _keys);
        }
        else
        {
            Span<Tensor> three = [null!, null!, null!];
            Linear.Forward([_q!, _k!, _v!], x, step, three);
            (q, k, v) = (three[0], three[1], three[2]);
        }
        if (_queryNorm is not null)
        {
            q = PerHead(_queryNorm, q, step);
            k = PerHead(_keyNorm!, k, step);
        }
        if (_rotary is not null)
        {
            q = _rotary.Apply(step, q, _headDim);
            k = _rotary.Apply(step, k, _headDim);
        }
        return _output.Forward(_core.Forward(new AttentionInput(q, k, v), step), step);
    }

    private Tensor PerHead(Norm norm, Tensor x, Step step)
    {
        Tensor heads = step.Tape.View(x, new Shape(x.Rows * (x.Columns / _headDim), _headDim));
        return step.Tape.View(norm.Forward(heads, step), new Shape(x.Rows, x.Columns));
    }
}
