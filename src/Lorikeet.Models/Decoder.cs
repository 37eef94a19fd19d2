using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>The Llama family: one decoder, and <see cref="DecoderConfig"/> for what differs.</summary>
public sealed class Decoder : Backbone
{
    private readonly Embedding _embedding;
    private readonly ResidualStream _input;
    private readonly DecoderLayer[] _layers;
    private readonly Norm _norm;

    /// <summary>Builds the layers; what is wrong with the weights is left with their context.</summary>
    /// <param name="config">What differs from its relatives.</param>
    /// <param name="root">The root of the model's weights.</param>
    public Decoder(DecoderConfig config, Weights root) : base(config.Facts)
    {
        Config = config;
        Weights model = root / "model";
        _embedding = new Embedding(model / "embed_tokens", config.Vocabulary, config.Hidden);
        _input = new ResidualStream(model, -1, config.Hidden);
        RotaryEmbedding rotary = new(config.RotaryDim, config.Rope);
        _layers = new DecoderLayer[config.Layers];
        for (int layer = 0; layer < config.Layers; layer++)
            _layers[layer] = new DecoderLayer(model / "layers" / layer, config, layer, config.Rotates[layer] ? rotary : null);
        _norm = new RmsNorm(model / "norm", config.Hidden, config.NormEpsilon);
    }

    /// <summary>What differs from its relatives.</summary>
    public DecoderConfig Config { get; }

    /// <inheritdoc/>
    public override Embedding Embedding => _embedding;

    /// <inheritdoc/>
    public override IReadOnlyList<Block> Blocks => _layers;

    /// <inheritdoc/>
    public override bool Tied => Config.Tied;

    /// <inheritdoc/>
    public override Tensor Hidden(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Tensor x = AddNoise(step, _embedding.Forward(step.Ids, step));
        x = _input.Forward(x, step);
        step.HiddenStates?.Invoke(0, x);
        for (int i = 0; i < _layers.Length; i++)
        {
            x = _layers[i].Run(x, step, i);
            step.HiddenStates?.Invoke(i + 1, x);
        }
        AdvanceCaches(step);
        return _norm.Forward(x, step);
    }
}
