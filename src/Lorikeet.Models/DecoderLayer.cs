using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>One block of the Llama family: attention and a gated feed-forward unit, each behind a norm.</summary>
internal sealed class DecoderLayer : Block
{
    private readonly Norm _attentionNorm;
    private readonly DecoderAttention _attention;
    private readonly Sublayer _afterAttention;
    private readonly Norm _mlpNorm;
    private readonly GatedMlp _mlp;
    private readonly Sublayer _afterMlp;
    private readonly ResidualStream _output;

    public DecoderLayer(Weights weights, DecoderConfig config, int layer, RotaryEmbedding? rotary) : base(weights)
    {
        _attentionNorm = new RmsNorm(weights / "input_layernorm", config.Hidden, config.NormEpsilon);
        _attention = new DecoderAttention(weights / "self_attn", config, layer, rotary);
        _afterAttention = new Sublayer(weights / "attention_adapters", layer, SublayerKind.Attention, config.Hidden);
        _mlpNorm = new RmsNorm(weights / "post_attention_layernorm", config.Hidden, config.NormEpsilon);
        _mlp = new GatedMlp(weights / "mlp", config);
        _afterMlp = new Sublayer(weights / "output_adapters", layer, SublayerKind.FeedForward, config.Hidden);
        _output = new ResidualStream(weights, layer, config.Hidden);
    }

    public override Tensor Forward(Tensor x, Step step)
    {
        Tensor y = _attention.Forward(_attentionNorm.Forward(x, step), step);
        x = _afterAttention.Forward(new SublayerInput(y, x), step);
        y = _mlp.Forward(_mlpNorm.Forward(x, step), step);
        x = _afterMlp.Forward(new SublayerInput(y, x), step);
        return _output.Forward(x, step);
    }
}
