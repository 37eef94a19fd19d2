using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>GPT-2: learned positions, layer norms, fused projections stored as <c>[in, out]</c>.</summary>
public sealed class Gpt2 : Backbone
{
    private readonly Embedding _tokens;
    private readonly Embedding _positions;
    private readonly ResidualStream _input;
    private readonly Gpt2Block[] _blocks;
    private readonly Norm _norm;

    /// <summary>Builds the layers; what is wrong with the weights is left with their context.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="root">The root of the model's weights.</param>
    public Gpt2(Gpt2Config config, Weights root) : base(config.Facts)
    {
        Config = config;
        // the hub's gpt2 files leave the prefix away
        Weights model = root.Has("wte.weight") ? root : root / "transformer";
        _tokens = new Embedding(model / "wte", config.Vocabulary, config.Hidden);
        _positions = new Embedding(model / "wpe", config.Positions, config.Hidden);
        _input = new ResidualStream(model, -1, config.Hidden);
        _blocks = new Gpt2Block[config.Layers];
        for (int layer = 0; layer < config.Layers; layer++)
            _blocks[layer] = new Gpt2Block(model / "h" / layer, config, layer);
        _norm = new LayerNorm(model / "ln_f", config.Hidden, config.NormEpsilon);
    }

    /// <summary>Sizes.</summary>
    public Gpt2Config Config { get; }

    /// <inheritdoc/>
    public override Embedding Embedding => _tokens;

    /// <inheritdoc/>
    public override IReadOnlyList<Block> Blocks => _blocks;

    /// <inheritdoc/>
    public override bool Tied => Config.Tied;

    /// <inheritdoc/>
    public override Tensor Hidden(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (step.PositionEnd > Config.Positions)
            throw new InputException($"a sequence of {step.PositionEnd} tokens is longer than the {Config.Positions} learned positions of this model");
        Tensor tokens = AddNoise(step, _tokens.Forward(step.Ids, step));
        Tensor x = step.Tape.Add(tokens, _positions.Forward(step.Positions, step));
        x = _input.Forward(x, step);
        step.HiddenStates?.Invoke(0, x);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = _blocks[i].Run(x, step, i);
            step.HiddenStates?.Invoke(i + 1, x);
        }
        AdvanceCaches(step);
        return _norm.Forward(x, step);
    }

    private sealed class Gpt2Block : Block
    {
        private readonly Norm _attentionNorm, _mlpNorm;
        private readonly Linear _attention, _attentionOutput, _up, _down;
        private readonly AttentionCore _core;
        private readonly Sublayer _afterAttention, _afterMlp;
        private readonly ResidualStream _output;
        private readonly Gpt2Config _config;

        public Gpt2Block(Weights weights, Gpt2Config config, int layer) : base(weights)
        {
            _config = config;
            int headDim = config.Hidden / config.Heads;
            float scale = config.ScaleByHeadSize ? 1 / MathF.Sqrt(headDim) : 1;
            if (config.ScaleByLayer)
                scale /= layer + 1;
            _attentionNorm = new LayerNorm(weights / "ln_1", config.Hidden, config.NormEpsilon);
            _attention = new Linear(weights / "attn" / "c_attn", config.Hidden, 3 * config.Hidden, bias: true, transposed: true);
            _core = new AttentionCore(weights / "attn", layer, config.Heads, config.Heads, headDim, scale);
            _attentionOutput = new Linear(weights / "attn" / "c_proj", config.Hidden, config.Hidden, bias: true, transposed: true);
            _afterAttention = new Sublayer(weights / "attention_adapters", layer, SublayerKind.Attention, config.Hidden);
            _mlpNorm = new LayerNorm(weights / "ln_2", config.Hidden, config.NormEpsilon);
            _up = new Linear(weights / "mlp" / "c_fc", config.Hidden, config.Inner, bias: true, transposed: true);
            _down = new Linear(weights / "mlp" / "c_proj", config.Inner, config.Hidden, bias: true, transposed: true);
            _afterMlp = new Sublayer(weights / "output_adapters", layer, SublayerKind.FeedForward, config.Hidden);
            _output = new ResidualStream(weights, layer, config.Hidden);
        }

        public override Tensor Forward(Tensor x, Step step)
        {
            Tape tape = step.Tape;
            Tensor qkv = _attention.Forward(_attentionNorm.Forward(x, step), step);
            int d = _config.Hidden;
            AttentionInput input = new(tape.Columns(qkv, 0, d), tape.Columns(qkv, d, d), tape.Columns(qkv, 2 * d, d));
            Tensor y = _attentionOutput.Forward(_core.Forward(input, step), step);
            x = _afterAttention.Forward(new SublayerInput(y, x), step);
            y = _up.Forward(_mlpNorm.Forward(x, step), step);
            y = _down.Forward(tape.Activate(_config.Activation, y), step);
            x = _afterMlp.Forward(new SublayerInput(y, x), step);
            return _output.Forward(x, step);
        }
    }
}
