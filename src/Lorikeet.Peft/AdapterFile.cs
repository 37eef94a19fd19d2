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

    /// <summary>The file that tells an adapter's folder from a folder of something else.</summary>
    public const string ConfigName = "adapter_config.json";

    /// <summary>Reads an adapter folder for a model. It acts once <see cref="Adapter.Attach"/> is called.</summary>
    /// <param name="model">The base.</param>
    /// <param name="folder">Holds the configuration and the tensors (safetensors, or a torch pickle read without running it).</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">Anything is missing, unmatched, wrongly shaped, not finite, or asks for what is not implemented.</exception>
    public static Adapter Load(Model model, string folder, string name = "default")
    {
        ArgumentNullException.ThrowIfNull(folder);
        JsonConfig stored = ReadConfig(folder);
        PeftMethod method = PeftRegistry.Of(stored);
        if (method.Obstacle(folder) is { } obstacle)
            throw new InputException($"{folder}: {obstacle}");
        JsonConfig config = method.ReadOptions(stored, ref name);
        List<string> unknown = [.. config.Root.Select(pair => pair.Key).Where(key => !method.Defaults.ContainsKey(key))];
        method.FillDefaults(config);
        using ITensorSource file = TensorFiles.Open(WeightsOf(folder, method));
        using AdapterBuilder builder = new(model, config, name, file, seed: 0) { Stored = stored };
        SavedModules.NameHeads(builder, method);
        method.Build(builder);
        if (unknown.Count > 0)
            builder.Notes.Add($"{config.Description}: not understood and kept as they are: {string.Join(", ", unknown)}");
        return builder.Finish(method);
    }

    /// <summary>Reads an adapter that another kind of file holds, once its options and tensors go by the names that they have here.</summary>
    /// <param name="model">The base.</param>
    /// <param name="method">The method.</param>
    /// <param name="options">Fields of <c>adapter_config.json</c>; missing ones take their defaults.</param>
    /// <param name="file">The tensors; whoever opened it closes it.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InputException">Anything is missing, unmatched, wrongly shaped or not finite.</exception>
    public static Adapter Load(Model model, PeftMethod method, JsonObject options, ITensorSource file, string name = "default")
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(file);
        JsonConfig config = new(options, file.Description);
        method.FillDefaults(config);
        config.Root["peft_type"] = method.Type;
        config.Root["task_type"] ??= model.TaskType;
        using AdapterBuilder builder = new(model, config, name, file, seed: 0);
        method.Build(builder);
        return builder.Finish(method);
    }

    /// <summary>Makes a new adapter from options; missing ones take PEFT's defaults.</summary>
    /// <param name="model">The base.</param>
    /// <param name="method">The method.</param>
    /// <param name="options">Fields of <c>adapter_config.json</c>.</param>
    /// <param name="seed">Decides the initial values.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="source">What messages call the options: a recipe.</param>
    /// <param name="nameOf">What messages about one option begin with, given its name: its place and name in a recipe; null where it has no place.</param>
    /// <exception cref="InputException">An option is unknown or has no sense; all are listed.</exception>
    public static Adapter Create(Model model, PeftMethod method, JsonObject options, int seed = 0, string name = "default", string source = "adapter",
        Func<string, string>? nameOf = null)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(options);
        JsonConfig config = new((JsonObject)options.DeepClone(), source) { NameOf = nameOf };
        method.Complete(config);
        config.Root["peft_type"] = method.Type;
        config.Root["task_type"] ??= model.TaskType;
        using AdapterBuilder builder = new(model, config, name, null, seed);
        SavedModules.NameHeads(builder, method);
        method.Build(builder);
        return builder.Finish(method);
    }

    /// <summary>Writes an adapter folder. It appears complete or not at all; an older one is replaced as a whole, a folder of anything else is left alone.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="folder">Final place.</param>
    /// <param name="baseModel">What <c>base_model_name_or_path</c> should say, or null to leave it.</param>
    /// <exception cref="InputException">The folder cannot be written, or holds something else.</exception>
    public static void Save(Adapter adapter, string folder, string? baseModel = null) =>
        AtomicFolder.Write(folder, aside => SaveInto(adapter, aside, baseModel), ConfigName);

    /// <summary>Writes the files of an adapter into a folder that somebody else makes complete.</summary>
    public static void SaveInto(Adapter adapter, string folder, string? baseModel = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        JsonObject options = adapter.Method.WriteOptions(adapter, baseModel);
        new JsonConfig(options, ConfigName).Save(Path.Combine(folder, ConfigName), JsonStyle.AdapterConfig);
        SafetensorsWriter.Write(Path.Combine(folder, adapter.Method.WeightsNames[0]),
            adapter.Parameters.Select(parameter => Entry(parameter.Name, parameter.Value))
                .Concat(adapter.AlsoSaved.Select(also => Entry(also.Key, also.Value.Value))),
            adapter.Method.WeightsMetadata);
        if (adapter.Method.ModelCard(options) is { } card)
            AtomicFile.WriteText(Path.Combine(folder, "README.md"), card);
    }

    internal static JsonConfig ReadConfig(string folder)
    {
        string path = Path.Combine(folder, ConfigName);
        if (!Directory.Exists(folder))
        {
            throw new InputException(File.Exists(folder) ? $"{folder}: is a file and no GGUF one; an adapter is a folder with {ConfigName}, or one .gguf file"
                : folder.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? $"{folder}: there is no such file"
                : $"{folder}: there is no such adapter folder");
        }
        if (!File.Exists(path))
            throw new InputException($"{folder}: is no adapter folder, {ConfigName} is missing");
        return JsonConfig.Load(path);
    }

    private static SafetensorsEntry Entry(string key, Tensor tensor)
    {
        Tensor value = tensor.Type == DType.F32 ? tensor : tensor.ToF32();
        return new SafetensorsEntry(key, DType.F32, value.Shape.ToArray(), value.Contents.CopyTo);
    }

    private static string WeightsOf(string folder, PeftMethod method) =>
        method.WeightsNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw new InputException($"{folder}: holds neither {string.Join(" nor ", method.WeightsNames)}");
}
