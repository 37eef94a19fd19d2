using System.Text.Json.Nodes;
using Lorikeet.Formats;

namespace Lorikeet.Peft;

/// <summary>A method: how its configuration is written, and what it puts where.</summary>
public abstract class PeftMethod
{
    /// <summary>The value of <c>peft_type</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The name in recipes.</summary>
    public abstract string RecipeName { get; }

    /// <summary>Every name in recipes, with the options that it stands for.</summary>
    public virtual IReadOnlyDictionary<string, JsonObject> Presets => new Dictionary<string, JsonObject> { [RecipeName] = [] };

    /// <summary>What other programs and people call an option, in lower case, and what it is called here.</summary>
    public virtual IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>();

    /// <summary>The options that one may choose, to list them: the fields of a file without those that it writes for itself or that are not implemented.</summary>
    public virtual IReadOnlyList<string> Options =>
        [.. Defaults.Select(pair => pair.Key).Where(key => key is not ("peft_type" or "peft_version" or "inference_mode" or "auto_mapping" or "revision" or "base_model_name_or_path" or "task_type"))];

    /// <summary>True for methods whose parameters stand beside the model's text, not in its layers (prefix tuning): the reference names keys otherwise there.</summary>
    public virtual bool IsPromptLearning => false;

    /// <summary>Every field that the reference writes, with its default; a field beyond them is not understood.</summary>
    public abstract JsonObject Defaults { get; }

    /// <summary>The names that the file of tensors may have: the one that is written, then older ones that are read.</summary>
    internal virtual IReadOnlyList<string> WeightsNames { get; } = ["adapter_model.safetensors", "adapter_model.bin"];

    /// <summary>What the file of tensors says of itself, or null for nothing.</summary>
    internal virtual IReadOnlyDictionary<string, string>? WeightsMetadata => SafetensorsWriter.TorchFormat;

    /// <summary>Reads the configuration and makes the parts. Problems are collected by the builder.</summary>
    public abstract void Build(AdapterBuilder builder);

    /// <summary>Reports what is wrong with options whatever the model; <see cref="Build"/> does so first, and adds what only a model tells.</summary>
    /// <param name="config">Defaults filled in.</param>
    /// <param name="loading">True for those of a trained adapter, where what acts only in training does not matter.</param>
    internal abstract void CheckOptions(JsonConfig config, bool loading);

    /// <summary>True where a file <c>adapter_config.json</c> is one of this method.</summary>
    internal virtual bool Recognises(JsonConfig file) => string.Equals(file.TextOrNull("peft_type"), Type, StringComparison.OrdinalIgnoreCase);

    /// <summary>The options that a file holds, and the name that its tensors carry: the given one unless the file says another.</summary>
    internal virtual JsonConfig ReadOptions(JsonConfig file, ref string name) => file;

    /// <summary>Why a folder cannot be used though its options can: it holds something that would be left out. Null where all is well.</summary>
    internal virtual string? Obstacle(string folder) => null;

    /// <summary>What <c>adapter_config.json</c> says of an adapter.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="baseModel">What the base is called, or null to leave it.</param>
    internal virtual JsonObject WriteOptions(Adapter adapter, string? baseModel)
    {
        JsonObject root = (JsonObject)adapter.Config.Root.DeepClone();
        if (baseModel is not null)
            root["base_model_name_or_path"] = baseModel;
        root["inference_mode"] = true;
        return root;
    }

    /// <summary>The text of <c>README.md</c> beside the file, or null where the method's own program writes none.</summary>
    internal virtual string? ModelCard(JsonObject options)
    {
        string? model = options["base_model_name_or_path"]?.ToString();
        string name = model is null ? "" : $"base_model: {model}\n";
        string tag = model is null ? "" : $"- base_model:adapter:{model}\n";
        return $"---\n{name}library_name: peft\ntags:\n{tag}- {Type.ToLowerInvariant()}\n- transformers\n---\n\n# Adapter\n\nTrained with Lorikeet. `adapter_config.json` says how.\n";
    }

    /// <summary>Completes options that somebody wrote with the defaults, and reports those that there are not.</summary>
    internal void Complete(JsonConfig config)
    {
        foreach (string key in config.Root.Select(pair => pair.Key).Where(key => !Defaults.ContainsKey(key)).ToArray())
        {
            config.Report(key, $"no option of {RecipeName}. {Advice(key)}");
            // its value is checked as that of the option that was meant, which is not missing then
            if (Aliases.TryGetValue(key, out string? meant) && !config.Root.ContainsKey(meant))
                config.Root[meant] = config.Root[key]?.DeepClone();
        }
        FillDefaults(config);
    }

    /// <summary>Completes a configuration with the defaults.</summary>
    internal void FillDefaults(JsonConfig config)
    {
        foreach ((string key, JsonNode? value) in Defaults)
        {
            if (!config.Root.ContainsKey(key))
                config.Root[key] = value?.DeepClone();
        }
    }

    // the same thing's name here, the nearest name, or all of them
    private string Advice(string key)
    {
        string folded = key.Replace('-', '_').ToLowerInvariant();
        if (Defaults.ContainsKey(folded))
            return $"Write {folded}";
        if (Aliases.TryGetValue(folded, out string? ours))
            return $"Here it is {ours}";
        return NearestName.Of(key, Options) is { } near ? $"Did you mean {near}?" : $"It has {string.Join(", ", Options)}";
    }
}
