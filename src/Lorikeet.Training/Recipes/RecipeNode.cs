using System.Globalization;
using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>A piece of a recipe as it was written: a plain value, a list or a map, with its place in the file.</summary>
public sealed class RecipeNode
{
    private readonly List<RecipeNode> _items = [];
    private readonly List<RecipeEntry> _entries = [];
    private readonly List<RecipeEntry> _taken = [];

    internal RecipeNode(RecipeNodeKind kind, RecipeLocation location)
    {
        Kind = kind;
        Location = location;
    }

    /// <summary>What was written.</summary>
    public RecipeNodeKind Kind { get; }

    /// <summary>Where it begins.</summary>
    public RecipeLocation Location { get; }

    /// <summary>The text of a plain value.</summary>
    public string Text { get; internal init; } = "";

    /// <summary>Whether the text stood in quotes (or in a block), and so is never a number, a truth value or nothing.</summary>
    public bool Quoted { get; internal init; }

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<RecipeNode> Items => _items;

    /// <summary>The entries of a map, in the order of the file.</summary>
    public IReadOnlyList<RecipeEntry> Entries => _entries;

    /// <summary>Whether nothing was written, or <c>null</c>.</summary>
    public bool IsNull => Kind == RecipeNodeKind.Scalar && !Quoted && Text is "" or "null" or "~";

    /// <summary>The value of a key of a map, or null.</summary>
    public RecipeNode? this[string key] => Entry(key)?.Value;

    /// <summary>The place of a key of this map (one that stands for an option of its own too), or of the map itself when it has no such key.</summary>
    public RecipeLocation LocationOf(string key) => (Entry(key) ?? _taken.Find(e => e.Key == key))?.KeyLocation ?? Location;

    /// <summary>The same as JSON: plain words become numbers, truth values and null where they look like them, as in YAML's core schema.</summary>
    public JsonNode? ToJson() => Kind switch
    {
        RecipeNodeKind.Map => new JsonObject(_entries.Select(e => KeyValuePair.Create(e.Key, e.Value.ToJson()))),
        RecipeNodeKind.List => new JsonArray([.. _items.Select(item => item.ToJson())]),
        _ => ScalarToJson(),
    };

    internal void Add(RecipeNode item) => _items.Add(item);

    internal void Add(RecipeEntry entry) => _entries.Add(entry);

    internal void Replace(int index, RecipeNode item) => _items[index] = item;

    /// <summary>Sets a key of a map, whether or not it was there.</summary>
    internal void Set(RecipeEntry entry)
    {
        int index = _entries.FindIndex(e => e.Key == entry.Key);
        if (index < 0)
            _entries.Add(entry);
        else
            _entries[index] = entry;
    }

    /// <summary>The same map without some keys.</summary>
    internal RecipeNode Without(string key)
    {
        RecipeNode rest = new(Kind, Location);
        rest._entries.AddRange(_entries.Where(e => e.Key != key));
        rest._taken.AddRange([.. _taken, .. _entries.Where(e => e.Key == key)]);
        return rest;
    }

    private RecipeEntry? Entry(string key) => _entries.Find(e => e.Key == key);

    private JsonNode? ScalarToJson()
    {
        if (IsNull)
            return null;
        if (Quoted)
            return JsonValue.Create(Text);
        if (Text is "true" or "false")
            return JsonValue.Create(Text == "true");
        if (long.TryParse(Text, NumberStyles.AllowLeadingSign, Invariant, out long whole))
            return JsonValue.Create(whole);
        if (double.TryParse(Text, NumberStyles.Float, Invariant, out double number) && double.IsFinite(number))
            return JsonValue.Create(number);
        return Text.ToLowerInvariant() switch
        {
            ".nan" => JsonValue.Create(double.NaN),
            ".inf" or "+.inf" => JsonValue.Create(double.PositiveInfinity),
            "-.inf" => JsonValue.Create(double.NegativeInfinity),
            _ => JsonValue.Create(Text),
        };
    }
}
