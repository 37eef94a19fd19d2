using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Cli;

/// <summary>Says what a file or folder holds, without loading it: a model, an adapter, a checkpoint, a tokenizer, or plain tensors.</summary>
internal static class Inspection
{
    private const string AdapterConfig = "adapter_config.json";
    private const string CheckpointState = "trainer_state.json";
    private const string ModelConfig = "config.json";
    private static readonly string[] AdapterWeights = ["adapter_model.safetensors", "adapter_model.bin", "adapter.safetensors", "pytorch_adapter.bin"];
    private static readonly string[] TensorSuffixes = [".bin", ".pt", ".pth", ".ckpt"];
    private static readonly string[] TokenizerSuffixes = [".json", ".model", ".txt"];
    private static readonly string[] ModelFields =
    [
        "hidden_size", "n_embd", "intermediate_size", "num_hidden_layers", "n_layer", "num_attention_heads", "n_head", "num_key_value_heads", "head_dim", "vocab_size",
        "max_position_embeddings", "n_positions", "rope_theta", "sliding_window", "tie_word_embeddings", "num_labels", "id2label", "problem_type",
    ];

    private static readonly string[] AdapterFields =
    [
        "base_model_name_or_path", "task_type", "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "modules_to_save", "bias", "use_rslora", "use_dora",
        "num_virtual_tokens", "feedforward_modules",
    ];

    /// <summary>What there is.</summary>
    /// <param name="name">A path, or whatever else names a model.</param>
    /// <param name="withTensors">List every tensor.</param>
    /// <exception cref="InputException">There is nothing, or it is broken.</exception>
    public static JsonObject Of(string name, bool withTensors)
    {
        ModelFiles files = ModelFiles.Find(name);
        if (files.IsRandom)
            return Random(files);
        if (files.IsGguf)
            return Gguf(files, withTensors);
        if (!files.IsFolder)
            return LoneFile(files, withTensors);
        if (File.Exists(Path.Combine(files.Path, CheckpointState)))
            return Checkpoint(files, withTensors);
        if (File.Exists(Path.Combine(files.Path, AdapterConfig)))
            return Adapter(files.Path, withTensors);
        if (File.Exists(Path.Combine(files.Path, ModelConfig)) && HasWeights(files.Path))
            return Model(files, withTensors);
        if (HasWeights(files.Path))
            return Tensors("tensors", files.Path, files.Path, withTensors);
        try
        {
            return TokenizerOf(files);
        }
        catch (TokenizerException e)
        {
            throw new InputException($"{files.Path}: holds no checkpoint ({CheckpointState}), adapter ({AdapterConfig}), model ({ModelConfig} and weights) or tensors, and as a tokenizer: {e.Message}", e);
        }
    }

    private static JsonObject LoneFile(ModelFiles files, bool withTensors)
    {
        bool Ends(string suffix) => files.Path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
        bool isTokenizer = Path.GetFileName(files.Path) == "tokenizer.bin" || (TokenizerSuffixes.Any(Ends) && !Ends(".index.json"));
        if (!isTokenizer && ForeignFile.Describe(files.Path) is { } found)
            throw new InputException($"{files.Path}: is {found}, which is not read. What is read: {ForeignFile.Known}");
        if (!isTokenizer && (TensorSuffixes.Any(Ends) || TensorFiles.Recognizes(files.Path)))
            return Tensors("tensors", files.Path, files.Path, withTensors);
        try
        {
            return TokenizerOf(files);
        }
        catch (TokenizerException e) when (!isTokenizer)
        {
            throw new InputException($"{files.Path}: is of no known kind. What is read: {ForeignFile.Known}", e);
        }
    }

    private static bool HasWeights(string folder) =>
        Directory.EnumerateFiles(folder).Any(file => Path.GetExtension(file) is ".safetensors" or ".gguf" || Path.GetFileName(file).StartsWith("pytorch_model", StringComparison.Ordinal));

    private static JsonObject Random(ModelFiles files)
    {
        using CausalLm model = files.LoadModel();
        return new JsonObject
        {
            ["kind"] = "random model",
            ["path"] = files.Path,
            ["parameters"] = model.Parameters.Sum(parameter => parameter.Value.Shape.Elements),
            ["layers"] = model.Facts.Layers,
            ["hidden"] = model.Facts.Hidden,
            ["vocabulary"] = model.Facts.Vocabulary,
        };
    }

    private static JsonObject Model(ModelFiles files, bool withTensors)
    {
        JsonObject config = JsonConfig.Load(Path.Combine(files.Path, ModelConfig)).Root;
        JsonObject result = new() { ["kind"] = "model", ["path"] = files.Path, ["format"] = "Hugging Face folder" };
        Architecture(result, config["model_type"]?.GetValueKind() == JsonValueKind.String ? (string)config["model_type"]! : "");
        Copy(config, ModelFields, result);
        AddTensors(result, files.Path, withTensors);
        if (config["quantization_config"] is { } quantization && ElementsOf(files.Path, quantization) is { } elements)
            result["parameters"] = elements;
        AddText(result, files);
        return result;
    }

    // what is packed counts as what it stands for; of what cannot be read, its bytes have been counted
    private static long? ElementsOf(string folder, JsonNode quantization)
    {
        try
        {
            using ITensorSource source = QuantizedTensors.Wrap(TensorFiles.Open(folder), quantization.Deserialize<JsonElement>(), ModelConfig);
            return (source as QuantizedTensors)?.Elements;
        }
        catch (InputException)
        {
            return null;
        }
    }

    private static JsonObject Gguf(ModelFiles files, bool withTensors)
    {
        using GgufFile file = GgufFile.Open(files.Path);
        string architecture = file.Metadata.Text("general.architecture") ?? "";
        bool isAdapter = file.Metadata.Text("general.type") == "adapter";
        JsonObject result = new() { ["kind"] = isAdapter ? "adapter" : "model", ["path"] = files.Path, ["format"] = $"GGUF v{file.Version}" };
        if (isAdapter)
            GgufAdapter(result, file, architecture);
        else
            Architecture(result, architecture);
        AddTensors(result, file, withTensors);
        JsonObject metadata = [];
        foreach ((string key, object value) in file.Metadata)
        {
            metadata[key] = value switch
            {
                Array array => $"[{array.Length} of {array.GetType().GetElementType()!.Name.ToLowerInvariant()}]",
                string { Length: > 200 } text => $"{text.Length} characters",
                _ => JsonSerializer.SerializeToNode(value),
            };
        }
        result["metadata"] = metadata;
        if (!isAdapter)
            AddText(result, files);
        return result;
    }

    private static void GgufAdapter(JsonObject result, GgufFile file, string architecture)
    {
        result["method"] = (file.Metadata.Text("adapter.type") ?? "unknown").ToUpperInvariant();
        result["base_architecture"] = architecture;
        if ((file.Metadata.Text("general.base_model.0.repo_url") ?? file.Metadata.Text("general.base_model.0.name")) is { } named)
            result["base_model_name_or_path"] = named;
        // ggml keeps A as [rank, in]
        long[] ranks = [.. file.Names.Where(name => name.EndsWith(".lora_a", StringComparison.Ordinal)).Select(name => file.Find(name)!.Shape[0]).Distinct().Order()];
        result["r"] = ranks.Length == 1 ? ranks[0] : new JsonArray([.. ranks.Select(rank => JsonValue.Create(rank))]);
        if (file.Metadata.Number("adapter.lora.alpha") is { } alpha)
            result["lora_alpha"] = alpha;
    }

    private static JsonObject Adapter(string folder, bool withTensors)
    {
        JsonObject config = JsonConfig.Load(Path.Combine(folder, AdapterConfig)).Root;
        JsonObject result = new() { ["kind"] = "adapter", ["path"] = folder, ["method"] = (config["peft_type"] ?? config["architecture"] ?? "unknown").ToString() };
        Copy(config, AdapterFields, result);
        AddTensors(result, AdapterWeightsIn(folder), withTensors);
        result["config"] = config.DeepClone();
        return result;
    }

    private static JsonObject Checkpoint(ModelFiles files, bool withTensors)
    {
        JsonObject state = JsonConfig.Load(Path.Combine(files.Path, CheckpointState)).Root;
        JsonObject result = new() { ["kind"] = "checkpoint", ["path"] = files.Path };
        foreach ((string key, JsonNode? value) in state["progress"] as JsonObject ?? state)
        {
            if (value is JsonValue)
                result[key] = value.DeepClone();
        }
        result["holds"] = File.Exists(Path.Combine(files.Path, AdapterConfig)) ? Adapter(files.Path, withTensors)
            : File.Exists(Path.Combine(files.Path, ModelConfig)) ? Model(files, withTensors) : Tensors("tensors", files.Path, files.Path, withTensors);
        string optimizer = Path.Combine(files.Path, "optimizer.safetensors");
        if (File.Exists(optimizer))
            result["optimizer"] = Tensors("optimizer", optimizer, optimizer, withTensors);
        return result;
    }

    private static JsonObject TokenizerOf(ModelFiles files)
    {
        JsonObject result = new() { ["kind"] = "tokenizer", ["path"] = files.Path };
        Describe(result, files.LoadTokenizer());
        if (files.IsFolder)
            result["chat_templates"] = Names(files.LoadChatTemplates());
        return result;
    }

    private static JsonObject Tensors(string kind, string path, string source, bool withTensors)
    {
        JsonObject result = new() { ["kind"] = kind, ["path"] = path };
        AddTensors(result, source, withTensors);
        return result;
    }

    private static void Architecture(JsonObject result, string type)
    {
        result["architecture"] = type;
        result["supported"] = ModelLoader.ModelTypes.Contains(type);
    }

    private static void AddText(JsonObject result, ModelFiles files)
    {
        try
        {
            JsonObject tokenizer = [];
            Tokenizer loaded = files.LoadTokenizer();
            Describe(tokenizer, loaded);
            tokenizer["end_tokens"] = new JsonArray([.. files.EndTokens(loaded).Select(id => JsonValue.Create(id))]);
            result["tokenizer"] = tokenizer;
        }
        catch (Exception e) when (e is TokenizerException or InputException)
        {
            result["tokenizer"] = $"none: {e.Message}";
        }
        try
        {
            result["chat_templates"] = Names(files.LoadChatTemplates());
        }
        catch (Exception e) when (e is TemplateException or InputException)
        {
            result["chat_templates"] = $"broken: {e.Message}";
        }
    }

    private static void Describe(JsonObject result, Tokenizer tokenizer)
    {
        result["vocabulary"] = tokenizer.VocabularySize;
        result["added_tokens"] = tokenizer.AddedTokens.Count;
        foreach ((string key, string? token, int? id) in new[] { ("bos", tokenizer.BosToken, tokenizer.BosId), ("eos", tokenizer.EosToken, tokenizer.EosId), ("pad", tokenizer.PadToken, tokenizer.PadId) })
        {
            if (token is not null)
                result[key] = new JsonObject { ["token"] = token, ["id"] = id };
        }
    }

    private static JsonArray Names(ModelChatTemplates? templates) => new([.. (templates?.Templates.Keys ?? []).Select(name => JsonValue.Create(name))]);

    private static string AdapterWeightsIn(string folder) =>
        AdapterWeights.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw new InputException($"{folder}: holds {AdapterConfig} but no weights; expected one of {string.Join(", ", AdapterWeights)}");

    private static void AddTensors(JsonObject result, string path, bool withTensors)
    {
        using ITensorSource source = TensorFiles.Open(path);
        AddTensors(result, source, withTensors);
    }

    private static void AddTensors(JsonObject result, ITensorSource source, bool withTensors)
    {
        StoredTensor[] tensors = [.. source.Names.Select(name => source.Find(name)!)];
        result["tensors"] = tensors.Length;
        result["parameters"] = tensors.Sum(tensor => tensor.Elements);
        result["bytes"] = tensors.Sum(tensor => tensor.Bytes.Length);
        result["types"] = new JsonObject(tensors.GroupBy(tensor => tensor.Type).OrderByDescending(group => group.Sum(tensor => tensor.Bytes.Length))
            .Select(group => KeyValuePair.Create(TypeName(group.Key), (JsonNode?)group.Count())));
        if (!withTensors)
            return;
        result["tensor_list"] = new JsonArray(
        [
            .. tensors.Select(tensor => new JsonObject
            {
                ["name"] = tensor.Name,
                ["type"] = TypeName(tensor.Type),
                ["shape"] = new JsonArray([.. tensor.Shape.Select(size => JsonValue.Create(size))]),
                ["bytes"] = tensor.Bytes.Length,
            }),
        ]);
    }

    private static string TypeName(DType type) => type.ToString();

    private static void Copy(JsonObject from, string[] fields, JsonObject to)
    {
        foreach (string field in fields)
        {
            if (from[field] is { } value)
                to[field] = value.DeepClone();
        }
    }
}
