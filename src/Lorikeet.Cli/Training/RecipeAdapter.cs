using System.Text.Json.Nodes;
using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli.Training;

/// <summary>What a recipe trains: an adapter on the model, or the model itself.</summary>
internal static class RecipeAdapter
{
    /// <summary>True where every weight of the model is trained.</summary>
    public static bool IsFull(Recipe recipe) => IsFull(recipe.Adapter.Method);

    /// <summary>What is wrong with a recipe's adapter whatever the model, each problem with its key.</summary>
    public static IEnumerable<(string Key, string Problem)> Check(AdapterOptions adapter) =>
        IsFull(adapter.Method)
            ? adapter.Options.Entries.Select(entry => (entry.Key, "full fine-tuning has no options; remove the key, or choose another method"))
            : PeftRegistry.Check(adapter.Method, (JsonObject)adapter.Options.ToJson()!);

    /// <summary>What a method's options are where a recipe does not give them.</summary>
    public static JsonObject DefaultsOf(Recipe recipe, PeftMethod method)
    {
        JsonObject options = method.Defaults;
        foreach ((string key, JsonNode? value) in PeftRegistry.OptionsOf(recipe.Adapter.Method))
            options[key] = value?.DeepClone();
        return options;
    }

    /// <summary>Makes the adapter, which acts from then on; null where every weight of the model is trained.</summary>
    /// <exception cref="InputException">Options are unknown or have no sense; each with its place in the recipe.</exception>
    public static Adapter? Attach(Recipe recipe, CausalLm model)
    {
        string name = recipe.Adapter.Method;
        RecipeNode written = recipe.Adapter.Options;
        string NameOf(string key)
        {
            string place = written.LocationOf(key.Split('.')[0]).ToString();
            return string.IsNullOrEmpty(place) ? $"adapter.{key}" : $"{place}: adapter.{key}";
        }
        if (IsFull(recipe))
            return null;
        PeftMethod method = PeftRegistry.OfRecipe(name, NameOf("method"));
        JsonObject options = PeftRegistry.OptionsOf(name);
        foreach ((string key, JsonNode? value) in (JsonObject)written.ToJson()!)
            options[key] = value?.DeepClone();
        Adapter adapter = AdapterFile.Create(model, method, options, recipe.Training.Seed, source: "adapter", nameOf: NameOf);
        adapter.Attach();
        return adapter;
    }

    private static bool IsFull(string method) => string.Equals(method, "full", StringComparison.OrdinalIgnoreCase);
}
