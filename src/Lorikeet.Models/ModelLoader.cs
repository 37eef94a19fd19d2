using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>Finds the architecture of a checkpoint by its <c>model_type</c> and builds it.</summary>
public static class ModelLoader
{
    /// <summary>Every <c>model_type</c> that can be loaded.</summary>
    public static IReadOnlyList<string> ModelTypes { get; } = [.. DecoderConfig.ModelTypes.Append("gpt2").Order(StringComparer.Ordinal)];

    /// <summary>
    /// Loads a causal language model: a Hugging Face folder (<c>config.json</c> and weights), one GGUF file, or <c>random:NAME</c> for random
    /// weights of a known shape. Weights stay in the mapped file where their storage allows.
    /// </summary>
    /// <exception cref="InputException">Something is missing or does not fit; every problem is listed.</exception>
    public static CausalLm Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.StartsWith(RandomWeights.Prefix, StringComparison.Ordinal))
            return RandomWeights.Build(path);
        if (File.Exists(path) && GgufDecoder.IsGguf(path))
            return GgufDecoder.Load(path);
        if (!Directory.Exists(path))
        {
            throw new InputException(File.Exists(path)
                ? $"{path}: a model is a folder with config.json and weights, or one .gguf file; this file is neither"
                : $"{path}: there is no such model folder or file. `lorikeet pull ORG/NAME` downloads one, `random:NAME` makes one of random weights");
        }
        return Load(ConfigReader.Open(Path.Combine(path, "config.json")), () => TensorFiles.Open(path));
    }

    /// <summary>Builds a model from its configuration and a source of weights.</summary>
    /// <param name="config">Its <c>model_type</c> decides.</param>
    /// <param name="open">Opens the weights once the configuration is known to be good; the model owns them.</param>
    public static CausalLm Load(ConfigReader config, Func<ITensorSource> open)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(open);
        string type = config.Text("model_type", "");
        if (type == "gpt2")
        {
            Gpt2Config gpt2 = Gpt2Config.Read(config);
            config.ThrowIfBroken();
            return Build(open(), source => new Gpt2(gpt2, source));
        }
        if (!DecoderConfig.ModelTypes.Contains(type))
        {
            throw new InputException(type.Length == 0
                ? $"{config.File}: model_type is missing; it names the architecture (one of {string.Join(", ", ModelTypes)})"
                : $"{config.File}: model_type \"{type}\" is not supported; supported are {string.Join(", ", ModelTypes)}");
        }
        DecoderConfig decoder = DecoderConfig.Read(config);
        config.ThrowIfBroken();
        return Build(open(), source => new Decoder(decoder, source));
    }

    internal static CausalLm Build(ITensorSource source, Func<ITensorSource, CausalLm> build)
    {
        try
        {
            return build(source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }
}
