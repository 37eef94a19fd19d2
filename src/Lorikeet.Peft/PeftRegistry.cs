using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>Every method.</summary>
public static class PeftRegistry
{
    /// <summary>In the order in which they are listed to people.</summary>
    public static IReadOnlyList<PeftMethod> Methods { get; } = [new LoraMethod(), new Ia3Method(), new PrefixTuningMethod(), new BottleneckMethod()];

    /// <summary>The method of an <c>adapter_config.json</c>.</summary>
    /// <exception cref="InputException">It is none of a known method.</exception>
    internal static PeftMethod Of(JsonConfig file)
    {
        if (Methods.FirstOrDefault(method => method.Recognises(file)) is { } method)
            return method;
        if (!file.Has("peft_type"))
            throw new InputException($"{file.Description}: `peft_type` is missing; it names the method (LORA, IA3, …)");
        return OfType(file.Text("peft_type", ""), file.Description);
    }

    /// <summary>The method of a <c>peft_type</c>.</summary>
    /// <exception cref="InputException">The type is not known.</exception>
    public static PeftMethod OfType(string type, string file) =>
        Methods.FirstOrDefault(method => string.Equals(method.Type, type, StringComparison.OrdinalIgnoreCase))
        ?? throw new InputException($"{file}: peft_type \"{type}\" is not supported; supported are {string.Join(", ", Methods.Select(method => method.Type))}");

    /// <summary>The method that a recipe names.</summary>
    /// <param name="name">One of its names, in any case.</param>
    /// <param name="source">What messages call the place of the name.</param>
    /// <exception cref="InputException">The name is not known.</exception>
    public static PeftMethod OfRecipe(string name, string source = "method")
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name) ?? throw new InputException($"{source}: {NoMethod(name)}");
    }

    /// <summary>What is wrong with the adapter of a recipe as far as it can be told without the model.</summary>
    /// <param name="name">The method's name in the recipe.</param>
    /// <param name="options">Its options, as they were written.</param>
    /// <returns>Each problem with the option that it is about.</returns>
    public static IReadOnlyList<(string Option, string Problem)> Check(string name, JsonObject options)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(options);
        if (Find(name) is not { } method)
            return [("method", NoMethod(name))];
        JsonObject all = OptionsOf(name);
        foreach ((string key, JsonNode? value) in options)
            all[key] = value?.DeepClone();
        JsonConfig config = new(all, name);
        method.Complete(config);
        method.CheckOptions(config, loading: false);
        return config.FieldProblems;
    }

    /// <summary>The options that a name in a recipe stands for: <c>houlsby</c> is a bottleneck in both halves of a block.</summary>
    /// <exception cref="InputException">The name is not known.</exception>
    public static JsonObject OptionsOf(string name) => (JsonObject)OfRecipe(name).Presets[name.ToLowerInvariant()].DeepClone();

    private static PeftMethod? Find(string name) => Methods.FirstOrDefault(method => method.Presets.ContainsKey(name.ToLowerInvariant()));

    private static string NoMethod(string name)
    {
        string[] known = [.. Methods.SelectMany(method => method.Presets.Keys)];
        return $"found \"{name}\", expected {string.Join(", ", known)}, or full.{(NearestName.Of(name, [.. known, "full"]) is { } near ? $" Did you mean {near}?" : "")}";
    }
}
