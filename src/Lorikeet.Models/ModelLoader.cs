using System.Text.Json;
using Lorikeet.Formats;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>Finds the architecture of a checkpoint by its <c>model_type</c>, the head by its <c>architectures</c>, and builds it.</summary>
public static class ModelLoader
{
    /// <summary>Every <c>model_type</c> that can be loaded.</summary>
    public static IReadOnlyList<string> ModelTypes { get; } = [.. DecoderConfig.ModelTypes.Append("gpt2").Order(StringComparer.Ordinal)];

    /// <summary>
    /// Loads a causal language model: a Hugging Face folder (<c>config.json</c> and weights), one GGUF file, or <c>random:NAME</c> for random
    /// weights of a known shape. Weights stay in the mapped file where their storage allows.
    /// </summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">Something is missing or does not fit, or the model predicts no tokens; every problem is listed.</exception>
    public static CausalLm Load(string path, ModelStorage? storage = null) =>
        IsFolder(path) ? Load(ConfigOf(path), () => TensorFiles.Open(path), storage) : LoadFile(path, storage);

    /// <summary>Builds a causal language model from its configuration and a source of weights.</summary>
    /// <param name="config">Its <c>model_type</c> decides.</param>
    /// <param name="open">Opens the weights once the configuration is known to be good; the model owns them.</param>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">Something is missing or does not fit, or the model predicts no tokens; every problem is listed.</exception>
    public static CausalLm Load(JsonConfig config, Func<ITensorSource> open, ModelStorage? storage = null)
    {
        if (ClassifierConfig.ArchitectureOf(config) is { } architecture)
        {
            throw new InputException($"{config.Description}: this is a {architecture}: it gives each {(ClassifierConfig.LabelsTokens(architecture) ? "token" : "text")} a number for each label and predicts no next token. "
                + "`lorikeet forward` computes its logits, loss and gradients, `lorikeet merge` merges an adapter into it; to write, chat or train by a recipe, give the model that it was made from (…ForCausalLM)");
        }
        return (CausalLm)LoadAny(config, open, storage);
    }

    /// <summary>Loads a model with whatever head its <c>architectures</c> names: a <see cref="SequenceClassifier"/>, a <see cref="TokenClassifier"/>, else a <see cref="CausalLm"/>.</summary>
    /// <param name="path">As for <see cref="Load(string, ModelStorage?)"/>.</param>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">Something is missing or does not fit; every problem is listed.</exception>
    public static LanguageModel LoadAny(string path, ModelStorage? storage = null) =>
        IsFolder(path) ? LoadAny(ConfigOf(path), () => TensorFiles.Open(path), storage) : LoadFile(path, storage);

    /// <summary>Builds a model with whatever head its <c>architectures</c> names.</summary>
    /// <param name="config">Its <c>model_type</c> decides.</param>
    /// <param name="open">Opens the weights once the configuration is known to be good; the model owns them.</param>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">Something is missing or does not fit; every problem is listed.</exception>
    public static LanguageModel LoadAny(JsonConfig config, Func<ITensorSource> open, ModelStorage? storage = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(open);
        Func<Weights, Backbone> backbone = BackboneOf(config).Build;
        string? architecture = ClassifierConfig.ArchitectureOf(config);
        ClassifierConfig? classifier = architecture is null ? null : ClassifierConfig.Read(config);
        config.Check();
        return Build<LanguageModel>(Converted(Unpacked(config, open()), storage), source => classifier is null ? new CausalLm(source, backbone)
            : ClassifierConfig.LabelsTokens(architecture!) ? new TokenClassifier(source, backbone, classifier)
            : new SequenceClassifier(source, backbone, classifier));
    }

    /// <summary>The sizes of a model as its configuration or metadata have them; no weight is read.</summary>
    /// <param name="path">As for <see cref="Load(string, ModelStorage?)"/>.</param>
    /// <exception cref="InputException">There is no model, or what is said of it cannot be used.</exception>
    public static ModelFacts FactsOf(string path)
    {
        if (IsFolder(path))
        {
            JsonConfig config = ConfigOf(path);
            ModelFacts facts = BackboneOf(config).Facts;
            config.Check();
            return facts;
        }
        return path.StartsWith(RandomWeights.Prefix, StringComparison.Ordinal) ? RandomWeights.ConfigOf(path).Facts
            : File.Exists(path) && GgufDecoder.IsGguf(path) ? GgufDecoder.FactsOf(path)
            : throw NoModel(path);
    }

    /// <summary>Refuses a folder that holds an adapter and no model, before all that it lacks as a model is listed.</summary>
    /// <exception cref="InputException">It is one.</exception>
    public static void RefuseAdapter(string folder)
    {
        string config = Path.Combine(folder, "adapter_config.json");
        if (!File.Exists(config) || File.Exists(Path.Combine(folder, "config.json")))
            return;
        JsonConfig adapter = JsonConfig.Load(config);
        string made = (adapter.TextOrNull("base_model_name_or_path") ?? adapter.TextOrNull("model_name")) is { Length: > 0 } name ? $" ({name})" : "";
        throw new InputException($"{folder}: is an adapter (adapter_config.json), and a model was expected; give the model that it was made for{made}, and this folder as --adapter");
    }

    internal static T Build<T>(ITensorSource source, Func<ITensorSource, T> build) where T : LanguageModel
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

    internal static ITensorSource Converted(ITensorSource source, ModelStorage? storage) => storage is { } type ? new ConvertedTensors(source, type) : source;

    private static ITensorSource Unpacked(JsonConfig config, ITensorSource source) =>
        QuantizedTensors.Wrap(source, config.Root["quantization_config"]?.Deserialize<JsonElement>(), config.Description);

    private static (ModelFacts Facts, Func<Weights, Backbone> Build) BackboneOf(JsonConfig config)
    {
        string type = config.Text("model_type", "");
        if (type == "gpt2")
        {
            Gpt2Config gpt2 = Gpt2Config.Read(config);
            return (gpt2.Facts, root => new Gpt2(gpt2, root));
        }
        if (!DecoderConfig.ModelTypes.Contains(type))
        {
            throw new InputException(type.Length == 0
                ? $"{config.Description}: model_type is missing; it names the architecture (one of {string.Join(", ", ModelTypes)})"
                : $"{config.Description}: model_type \"{type}\" is not supported; supported are {string.Join(", ", ModelTypes)}");
        }
        DecoderConfig decoder = DecoderConfig.Read(config);
        return (decoder.Facts, root => new Decoder(decoder, root));
    }

    private static bool IsFolder(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return !path.StartsWith(RandomWeights.Prefix, StringComparison.Ordinal) && Directory.Exists(path);
    }

    private static JsonConfig ConfigOf(string folder)
    {
        RefuseAdapter(folder);
        return JsonConfig.Load(Path.Combine(folder, "config.json"));
    }

    // these hold nothing but causal models
    private static CausalLm LoadFile(string path, ModelStorage? storage)
    {
        if (path.StartsWith(RandomWeights.Prefix, StringComparison.Ordinal))
            return RandomWeights.Build(path, storage);
        if (File.Exists(path) && GgufDecoder.IsGguf(path))
            return GgufDecoder.Load(path, storage);
        throw NoModel(path);
    }

    private static InputException NoModel(string path) => new(File.Exists(path)
        ? $"{path}: a model is a folder with config.json and weights, or one .gguf file; this file is neither"
        : $"{path}: there is no such model folder or file. `lorikeet pull ORG/NAME` downloads one, `random:NAME` makes one of random weights");
}
