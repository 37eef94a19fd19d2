using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>A setting that a checkpoint's recipe has otherwise.</summary>
/// <param name="Key">Its name: <c>training.optimizer</c>.</param>
/// <param name="Before">What the checkpoint's recipe has; null where it says nothing.</param>
/// <param name="Now">What the recipe has now; null where it says nothing.</param>
internal sealed record RecipeDifference(string Key, string? Before, string? Now)
{
    private const int LongestShown = 60;

    // what is not written there means
    private static readonly (string Key, string Value)[] Usual = [("training.warmup_steps", "0"), ("training.warmup_ratio", "0")];

    /// <summary>All of them, in the order of the recipe.</summary>
    /// <param name="before">The checkpoint's recipe.</param>
    /// <param name="recipe">The recipe now.</param>
    /// <param name="state">What the checkpoint knows besides: what was chosen for its processor.</param>
    /// <param name="adapterDefaults">What the adapter's options are where they are not given.</param>
    public static IReadOnlyList<RecipeDifference> Between(RecipeNode before, Recipe recipe, Checkpoints.State state, JsonObject adapterDefaults)
    {
        Dictionary<string, string> old = Leaves(before), now = Leaves(Recipe.ParseNode(recipe.ToYaml(), "recipe"));
        Choose(old, state.Precision, state.Activations);
        Choose(now, recipe.Training.Precision, recipe.Training.Activations ?? recipe.Training.Precision);
        Dictionary<string, string> usual = Usual.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        foreach ((string name, JsonNode? value) in adapterDefaults.Where(pair => pair.Value is JsonValue))
            usual["adapter." + name] = TextOf(value!);
        return
        [
            .. old.Keys.Union(now.Keys).Select(key => new RecipeDifference(key, old.GetValueOrDefault(key), now.GetValueOrDefault(key)))
                .Where(both => (both.Before ?? usual.GetValueOrDefault(both.Key)) != (both.Now ?? usual.GetValueOrDefault(both.Key))),
        ];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Key}: {Shown(Before)} in the checkpoint, {Shown(Now)} now";

    private static string Shown(string? value) => value is null ? "not given" : value.Length <= LongestShown ? value : value[..LongestShown] + "…";

    private static void Choose(Dictionary<string, string> leaves, Precision? precision, Precision? activations)
    {
        if (precision is { } rounding)
            leaves["training.precision"] = RecipeNames.Of(rounding.ToString());
        if (activations is { } kept)
            leaves["training.activations"] = RecipeNames.Of(kept.ToString());
    }

    private static Dictionary<string, string> Leaves(RecipeNode root)
    {
        Dictionary<string, string> leaves = new(StringComparer.Ordinal);
        Collect("", root, leaves);
        return leaves;
    }

    private static void Collect(string key, RecipeNode node, Dictionary<string, string> leaves)
    {
        if (node.Kind == RecipeNodeKind.Map)
        {
            foreach (RecipeEntry entry in node.Entries)
                Collect(key.Length == 0 ? entry.Key : $"{key}.{entry.Key}", entry.Value, leaves);
        }
        else if (node.Kind == RecipeNodeKind.List && node.Items.Any(item => item.Kind == RecipeNodeKind.Map))
        {
            for (int i = 0; i < node.Items.Count; i++)
                Collect(string.Create(Invariant, $"{key}.{i}"), node.Items[i], leaves);
        }
        else if (!node.IsNull)
        {
            leaves[key] = Meaning(key, TextOf(node.ToJson()!));
        }
    }

    // a number has several spellings: 16, 16.0, 1.6e1
    private static string TextOf(JsonNode value) => value switch
    {
        JsonArray list => $"[{string.Join(",", list.Select(item => item is null ? "null" : TextOf(item)))}]",
        JsonValue number when number.GetValueKind() == JsonValueKind.Number => number.TryGetValue(out long whole) ? whole.ToString(Invariant) : JsonValue.Create(number.Deserialize<double>()).ToString(),
        _ => value.ToString(),
    };

    // one thing has several names
    private static string Meaning(string key, string text) => key switch
    {
        // where moments lie changes none of them
        "training.optimizer" => OptimizerKind.Parse(text) is { } kind ? (kind with { Paged = false }).ToString() : text,
        "adapter.method" or "model.quantize" or "model.quantize_embeddings" => text.ToLowerInvariant(),
        _ => text,
    };
}
