using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>Adapter folders as PEFT reads and writes them: <c>adapter_config.json</c>, <c>adapter_model.safetensors</c>, <c>README.md</c>.</summary>
public static class AdapterFile
{
    /// <summary>What every key begins with.</summary>
    public const string Prefix = "base_model.model.";

    /// <summary>The release whose format is written.</summary>
    public const string PeftVersion = "0.21.2";

    private const string ConfigName = "adapter_config.json";
    private const string WeightsName = "adapter_model.safetensors";

    /// <summary>Reads an adapter folder for a model. It acts once <see cref="Adapter.Attach"/> is called.</summary>
    /// <param name="model">The base.</param>
    /// <param name="folder">Holds the configuration and the tensors (safetensors, or a torch pickle read without running it).</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">Anything is missing, unmatched, wrongly shaped, not finite, or asks for what is not implemented.</exception>
    public static Adapter Load(Model model, string folder, string name = "default")
    {
        ArgumentNullException.ThrowIfNull(folder);
        JsonConfig config = ReadConfig(folder);
        if (BottleneckMethod.Recognises(config))
            return BottleneckMethod.Load(model, folder, config);
        if (!config.Has("peft_type"))
            throw new InputException($"{config.Description}: `peft_type` is missing; it names the method (LORA, IA3, …)");
        PeftMethod method = PeftRegistry.OfType(config.Text("peft_type", ""), config.Description);
        List<string> unknown = [.. config.Root.Select(pair => pair.Key).Where(key => !method.Defaults.ContainsKey(key))];
        method.FillDefaults(config);
        using ITensorSource file = TensorFiles.Open(WeightsOf(folder));
        using AdapterBuilder builder = new(model, config, name, file, seed: 0);
        SavedModules.NameHeads(builder, method);
        method.Build(builder);
        if (unknown.Count > 0)
            builder.Notes.Add($"{config.Description}: not understood and kept as they are: {string.Join(", ", unknown)}");
        return builder.Finish(method);
    }

    /// <summary>Makes a new adapter from options; missing ones take PEFT's defaults.</summary>
    /// <param name="model">The base.</param>
    /// <param name="method">The method.</param>
    /// <param name="options">Fields of <c>adapter_config.json</c>.</param>
    /// <param name="seed">Decides the initial values.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="source">What messages call the options: a recipe.</param>
    /// <exception cref="InputException">An option is unknown or has no sense; all are listed.</exception>
    public static Adapter Create(Model model, PeftMethod method, JsonObject options, int seed = 0, string name = "default", string source = "adapter")
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(options);
        JsonConfig config = new((JsonObject)options.DeepClone(), source);
        foreach (string key in options.Select(pair => pair.Key).Where(key => !method.Defaults.ContainsKey(key)))
            config.Report(key, $"is no option of {method.RecipeName}; it has {string.Join(", ", method.Defaults.Select(pair => pair.Key).Where(IsOption))}");
        method.FillDefaults(config);
        config.Root["peft_type"] = method.Type;
        config.Root["task_type"] ??= model.TaskType;
        using AdapterBuilder builder = new(model, config, name, null, seed);
        SavedModules.NameHeads(builder, method);
        method.Build(builder);
        return builder.Finish(method);
    }

    /// <summary>Writes an adapter folder. It appears complete or not at all.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="folder">Final place.</param>
    /// <param name="baseModel">What <c>base_model_name_or_path</c> should say, or null to leave it.</param>
    public static void Save(Adapter adapter, string folder, string? baseModel = null) =>
        AtomicFolder.Write(folder, aside => SaveInto(adapter, aside, baseModel));

    /// <summary>Writes the files of an adapter into a folder that somebody else makes complete.</summary>
    public static void SaveInto(Adapter adapter, string folder, string? baseModel = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (adapter.Method is BottleneckMethod)
        {
            BottleneckMethod.Save(adapter, folder);
            return;
        }
        JsonConfig config = new((JsonObject)adapter.Config.Root.DeepClone(), ConfigName);
        if (baseModel is not null)
            config.Root["base_model_name_or_path"] = baseModel;
        config.Root["inference_mode"] = true;
        config.Save(Path.Combine(folder, ConfigName), JsonStyle.AdapterConfig);
        SafetensorsWriter.Write(Path.Combine(folder, WeightsName),
            adapter.Parameters.Select(parameter => Entry(parameter.Name, parameter.Value))
                .Concat(adapter.AlsoSaved.Select(also => Entry(also.Key, also.Value.Value))),
            SafetensorsWriter.TorchFormat);
        AtomicFile.WriteText(Path.Combine(folder, "README.md"), ModelCard(config));
    }

    internal static JsonConfig ReadConfig(string folder)
    {
        string path = Path.Combine(folder, ConfigName);
        if (!Directory.Exists(folder))
            throw new InputException($"{folder}: there is no such adapter folder");
        if (!File.Exists(path))
            throw new InputException($"{folder}: is no adapter folder, {ConfigName} is missing");
        return JsonConfig.Load(path);
    }

    private static SafetensorsEntry Entry(string key, Tensor tensor)
    {
        Tensor value = tensor.Type == DType.F32 ? tensor : tensor.ToF32();
        return new SafetensorsEntry(key, DType.F32, value.Shape.ToArray(), value.Contents.CopyTo);
    }

    private static string WeightsOf(string folder)
    {
        string safetensors = Path.Combine(folder, WeightsName), pickle = Path.Combine(folder, "adapter_model.bin");
        return File.Exists(safetensors) ? safetensors
            : File.Exists(pickle) ? pickle
            : throw new InputException($"{folder}: holds neither {WeightsName} nor adapter_model.bin");
    }

    private static bool IsOption(string key) => key is not ("peft_type" or "peft_version" or "inference_mode" or "auto_mapping" or "revision");

    private static string ModelCard(JsonConfig config)
    {
        string? model = config.TextOrNull("base_model_name_or_path");
        string name = model is null ? "" : $"base_model: {model}\n";
        string tag = model is null ? "" : $"- base_model:adapter:{model}\n";
        return $"---\n{name}library_name: peft\ntags:\n{tag}- {config.Text("peft_type", "").ToLowerInvariant()}\n- transformers\n---\n\n# Adapter\n\nTrained with Lorikeet. `adapter_config.json` says how.\n";
    }
}
