using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Models;

/// <summary>Writes a model as a Hugging Face folder, with whatever lies beside the weights of the one it came from.</summary>
public static class ModelFolder
{
    /// <summary>The file that tells a model's folder from a folder of something else.</summary>
    public const string ConfigName = "config.json";

    private static readonly string[] Companions =
    [
        "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json",
        "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt",
    ];

    private static readonly string[] CompanionFolders = ["additional_chat_templates"];

    /// <summary>Writes the folder. It appears complete or not at all; an older model folder is replaced as a whole, a folder of anything else is left alone.</summary>
    /// <param name="model">Its weights as they are now: what adapters merged into them is part of it, an adapter that only acts is not.</param>
    /// <param name="source">The folder or GGUF file that the model was loaded from; null where there is none.</param>
    /// <param name="folder">Final place.</param>
    /// <param name="storage">f32, bf16, f16, or one of bitsandbytes' for the matrices that it suits; null keeps what each weight was stored as.</param>
    /// <param name="alsoRead">Further folders that it was made from, adapters.</param>
    /// <param name="written">Told of each matrix that was rounded how far it moved, where not null.</param>
    /// <param name="also">Writes what else belongs into the folder: the tokenizer of a GGUF file.</param>
    /// <param name="stop">Ends it; nothing is left behind.</param>
    /// <exception cref="InputException">
    /// The folder cannot be written, holds something else, or holds or lies in what the model was made from; or weights are not finite, or would not be in that storage.
    /// </exception>
    public static void Save(LanguageModel model, string? source, string folder, DType? storage = null, IReadOnlyList<string>? alsoRead = null,
        Action<WeightError>? written = null, Action<string>? also = null, CancellationToken stop = default)
    {
        Origins.Check(folder, within: false, [.. source is null ? [] : new[] { source }, .. alsoRead ?? []]);
        AtomicFolder.Write(folder, aside =>
        {
            SaveInto(model, source, aside, storage, written, stop);
            also?.Invoke(aside);
        }, ConfigName);
    }

    /// <summary>Writes the files into a folder that somebody else makes complete.</summary>
    /// <param name="model">Its weights as they are now.</param>
    /// <param name="source">The folder or GGUF file that the model was loaded from; null where there is none.</param>
    /// <param name="folder">Receives <c>config.json</c>, the weights and, from a source folder, tokenizer, chat template and generation settings.</param>
    /// <param name="storage">
    /// f32, bf16, f16, or one of bitsandbytes' for the matrices that it suits; null keeps what each weight was stored as, and f32 for what no such folder
    /// can hold.
    /// </param>
    /// <param name="written">Told of each matrix that was rounded how far it moved, where not null.</param>
    /// <param name="stop">Ends it between two parts of a weight.</param>
    /// <exception cref="InputException">The folder cannot be written, the configuration cannot be expressed, or weights are not finite, or would not be in that storage.</exception>
    public static void SaveInto(LanguageModel model, string? source, string folder, DType? storage = null, Action<WeightError>? written = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (storage is { } given && given is not (DType.F32 or DType.BF16 or DType.F16) && !WeightStorage.IsBitsandbytes(given))
            throw new ArgumentException($"a model folder stores f32, bf16, f16 or what bitsandbytes has, not {storage}");
        WeightWriter writer = new(written, stop);
        writer.CheckSource(model.StoredWeights, source ?? "the model");
        bool fromFolder = source is not null && Directory.Exists(source);
        using ITensorSource? stored = fromFolder ? TensorFiles.Open(source!) : null;
        List<SafetensorsEntry> entries = [];
        DType? quantized = null;
        foreach (Parameter parameter in model.StoredWeights)
        {
            DType type = TypeOf(parameter, storage, stored);
            if (WeightStorage.IsBitsandbytes(type))
                quantized = type;
            stop.ThrowIfCancellationRequested();
            entries.AddRange(Entries(parameter, type, writer));
        }
        if (quantized is not null && model.Modules.OfType<Linear>().Any(layer => layer.Transposed))
            throw new InputException($"a model of type {model.Facts.ModelType} stores its matrices transposed, which folders of bitsandbytes do not; write bf16 or f16, or quantise it as it is loaded (model.quantize of a recipe)");
        DType? plain = storage is null || quantized is not null ? null : storage;
        if (fromFolder)
            CopyCompanions(source!, folder, plain, quantized, model.Untied);
        else
            WriteConfig(model, source, folder, plain, quantized);
        SafetensorsFolder.Write(folder, entries);
        writer.ThrowIfAny(folder);
    }

    // what is written: as asked where it suits, else as it was stored
    private static DType TypeOf(Parameter parameter, DType? storage, ITensorSource? stored)
    {
        if (storage is null)
            return WeightStorage.IsBitsandbytes(parameter.Value.Type) ? parameter.Value.Type : (stored is null ? null : BitsandbytesEntries.TypeOf(stored, parameter.Name)) ?? StorageOf(parameter);
        if (!WeightStorage.IsBitsandbytes(storage.Value))
            return storage.Value;
        return WeightStorage.Suits(storage.Value, parameter.Name, parameter.Value.Shape.Rank) ? storage.Value : StorageOf(parameter);
    }

    private static IEnumerable<SafetensorsEntry> Entries(Parameter parameter, DType type, WeightWriter writer) => WeightStorage.IsBitsandbytes(type)
        ? BitsandbytesEntries.Of(parameter.Name, parameter.Value, type, TorchName(StorageOf(parameter)), writer.Took)
        : [Entry(parameter, type, writer)];

    private static void CopyCompanions(string source, string folder, DType? storage, DType? quantized, bool untied)
    {
        string configFile = Path.Combine(source, "config.json");
        JsonConfig config = JsonConfig.Load(configFile);
        bool changed = storage is { } type && Restate(config.Root, type);
        if (untied)
            config.Root["tie_word_embeddings"] = false;
        if (changed | untied | RestateQuantization(config.Root, quantized))
            config.Save(Path.Combine(folder, "config.json"), JsonStyle.ModelConfig with { SortKeys = false });
        else
            AtomicFile.Copy(configFile, Path.Combine(folder, "config.json"));
        foreach (string name in Companions.Where(name => File.Exists(Path.Combine(source, name))))
            AtomicFile.Copy(Path.Combine(source, name), Path.Combine(folder, name));
        foreach (string name in CompanionFolders.Where(name => Directory.Exists(Path.Combine(source, name))))
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
            foreach (string file in Directory.EnumerateFiles(Path.Combine(source, name)))
                AtomicFile.Copy(file, Path.Combine(folder, name, Path.GetFileName(file)));
        }
    }

    // a configuration that says another type would have the weights narrowed or widened again by whoever loads them
    private static bool Restate(JsonObject config, DType storage)
    {
        bool changed = false;
        foreach (string key in (string[])["dtype", "torch_dtype"])
        {
            if (config[key] is not JsonValue value || (value.TryGetValue(out string? stated) && stated == TorchName(storage)))
                continue;
            config[key] = TorchName(storage);
            changed = true;
        }
        return changed;
    }

    private static bool RestateQuantization(JsonObject config, DType? quantized)
    {
        if (quantized is null)
            return config.Remove("quantization_config");
        JsonObject ours = BitsandbytesEntries.Configuration(quantized.Value);
        // one that says the same and more is kept: bitsandbytes has options that only its own computation follows
        if (config["quantization_config"] is JsonObject theirs
            && ((string[])["quant_method", "load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type", "bnb_4bit_use_double_quant"]).All(key => JsonNode.DeepEquals(theirs[key], ours[key]) || (quantized == DType.Int8Row && key.StartsWith("bnb", StringComparison.Ordinal))))
            return false;
        config["quantization_config"] = ours;
        return true;
    }

    private static void WriteConfig(LanguageModel model, string? source, string folder, DType? storage, DType? quantized)
    {
        JsonObject config = model switch
        {
            CausalLm { Backbone: Decoder decoder } => DecoderConfigJson.Write(decoder.Config),
            _ => throw new InputException($"a model of type {model.Facts.ModelType} can be written only beside the config.json that it was loaded from"),
        };
        if (model.Untied)
            config["tie_word_embeddings"] = false;
        config["torch_dtype"] = TorchName(storage ?? StorageOf(model.InputEmbedding.Weight));
        RestateQuantization(config, quantized);
        if (source is not null && File.Exists(source) && GgufDecoder.IsGguf(source))
        {
            using GgufFile file = GgufFile.Open(source);
            foreach ((string key, string theirs) in (ReadOnlySpan<(string, string)>)[("bos_token_id", "bos_token_id"), ("eos_token_id", "eos_token_id"), ("pad_token_id", "padding_token_id")])
            {
                if (Id(file.Metadata, "tokenizer.ggml." + theirs) is { } id)
                    config[key] = id;
            }
            if (file.Metadata.GetValueOrDefault("tokenizer.chat_template") is string template)
                AtomicFile.WriteText(Path.Combine(folder, "chat_template.jinja"), template);
        }
        new JsonConfig(config, "config.json").Save(Path.Combine(folder, "config.json"), JsonStyle.ModelConfig);
    }

    // what a file says wrongly of its text is no reason to lose the weights
    private static int? Id(GgufMetadata metadata, string key)
    {
        try
        {
            return metadata.Integer(key) is >= 0 and <= int.MaxValue and { } id ? (int)id : null;
        }
        catch (InputException)
        {
            return null;
        }
    }

    private static SafetensorsEntry Entry(Parameter parameter, DType type, WeightWriter writer)
    {
        Tensor value = parameter.Value;
        bool tell = value.Shape.Rank == 2 && type is DType.F16 or DType.BF16 && value.Type != type;
        return new SafetensorsEntry(parameter.Name, type, value.Shape.ToArray(), stream => writer.Write(parameter.Name, value, type, stream, tell));
    }

    private static DType StorageOf(Parameter parameter) => parameter.StoredType is DType.F16 or DType.BF16 ? parameter.StoredType : DType.F32;

    private static string TorchName(DType type) => type switch
    {
        DType.BF16 => "bfloat16",
        DType.F16 => "float16",
        _ => "float32",
    };
}
