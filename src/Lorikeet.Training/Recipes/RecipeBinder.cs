using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Lorikeet.Formats;

namespace Lorikeet.Training;

/// <summary>
/// Turns what was written into options. The options' own declarations are the rules: names become keys, types say what a value may be,
/// and their attributes give ranges and what must be there.
/// </summary>
internal sealed class RecipeBinder(RecipeProblems problems)
{
    /// <summary>Reads a section; values with problems keep their defaults.</summary>
    public T Bind<T>(RecipeNode node) where T : new() => (T)Section(typeof(T), node, "")!;

    private object? Section(Type type, RecipeNode node, string path)
    {
        object section = Activator.CreateInstance(type)!;
        if (node.Kind != RecipeNodeKind.Map && RecipeNames.ShorthandOf(type) is { } shorthand)
        {
            Set(section, shorthand, node, path.Length == 0 ? RecipeNames.Of(shorthand.Name) : path);
            if (RecipeNames.KeysOf(type).Select(k => k.Property).FirstOrDefault(property => property.IsDefined(typeof(RestAttribute))) is { } none)
                none.SetValue(section, new RecipeNode(RecipeNodeKind.Map, node.Location));
            return section;
        }
        if (node.Kind != RecipeNodeKind.Map)
        {
            Complain(node, path, $"the keys of {Describe(path)}, one a line: {string.Join(", ", RecipeNames.KeysOf(type).Select(k => k.Key))}");
            return section;
        }
        (string Key, PropertyInfo Property)[] keys = [.. RecipeNames.KeysOf(type)];
        PropertyInfo? rest = Array.Find(keys, k => k.Property.IsDefined(typeof(RestAttribute))).Property;
        RecipeNode left = node;
        foreach ((string key, PropertyInfo property) in keys.Where(k => k.Property != rest))
        {
            if (node[key] is { } value)
            {
                Set(section, property, value, Join(path, key));
                left = left.Without(key);
            }
            else if (property.IsDefined(typeof(RequiredAttribute)) && property.GetValue(section) is not string { Length: > 0 })
            {
                problems.Add(node.Location, $"{Join(path, key)}: not given, expected {Expectation(property.PropertyType, property)}.");
            }
        }
        if (rest is not null)
            rest.SetValue(section, left);
        else
            foreach (RecipeEntry unknown in left.Entries)
                problems.Add(unknown.KeyLocation, $"{Join(path, unknown.Key)}: no such key. {ForeignKeys.Advice(unknown.Key, path, type)}");
        return section;
    }

    private void Set(object section, PropertyInfo property, RecipeNode node, string path)
    {
        if (node.IsNull)
        {
            if (property.IsDefined(typeof(RequiredAttribute)))
                Complain(node, path, Expectation(property.PropertyType, property));
            return; // nothing written: the default
        }
        int before = problems.Count;
        object? value = Value(property.PropertyType, node, path, property);
        // of a section with problems the rest is looked at all the same
        if (value is not null && (problems.Count == before || node.Kind == RecipeNodeKind.Map))
            property.SetValue(section, value);
    }

    private object? Value(Type type, RecipeNode node, string path, PropertyInfo property)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            return List(type.GetGenericArguments()[0], node, path, property);
        if (type != typeof(string) && type.IsClass)
            return Section(type, node, path);
        object? value = node.Kind == RecipeNodeKind.Scalar ? Plain(type, node) : null;
        if (value is null || !InRange(value, property))
        {
            Complain(node, path, Expectation(type, property));
            return null;
        }
        return value;
    }

    private Array List(Type item, RecipeNode node, string path, PropertyInfo property)
    {
        IReadOnlyList<RecipeNode> items = node.Kind == RecipeNodeKind.List ? node.Items : [node];
        if (items.Count == 0 && property.IsDefined(typeof(RequiredAttribute)))
            Complain(node, path, "at least one");
        ArrayList values = [];
        for (int i = 0; i < items.Count; i++)
        {
            string place = node.Kind == RecipeNodeKind.List ? string.Create(Invariant, $"{path}.{i}") : path;
            if (Value(item, items[i], place, property) is { } value)
                values.Add(value);
        }
        return values.ToArray(item);
    }

    private static object? Plain(Type type, RecipeNode node)
    {
        string text = node.Text;
        if (type == typeof(string))
            return text;
        if (node.Quoted && !type.IsEnum)
            return null;
        if (type == typeof(bool))
            return text switch { "true" => true, "false" => false, _ => null };
        if (type == typeof(int))
            return int.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out int whole) ? whole : null;
        if (type == typeof(double))
            return double.TryParse(text, NumberStyles.Float, Invariant, out double number) && double.IsFinite(number) ? number : null;
        if (type == typeof(DateOnly))
            return DateOnly.TryParseExact(text, RecipeNames.DateFormat, Invariant, DateTimeStyles.None, out DateOnly date) ? date : null;
        if (type.IsEnum)
            return Enum.GetValues(type).Cast<object>().FirstOrDefault(choice => RecipeNames.Of(choice.ToString()!).Equals(text, StringComparison.OrdinalIgnoreCase));
        throw new NotSupportedException($"recipes have no values of type {type}");
    }

    private static bool InRange(object value, PropertyInfo property) =>
        property.GetCustomAttribute<RangeAttribute>() is not { } range
            ? property.GetCustomAttribute<MinLengthAttribute>() is not { } least || ((string)value).Length >= least.Length
            : value is int whole
                ? whole >= Convert.ToInt32(range.Minimum, Invariant) && whole <= Convert.ToInt32(range.Maximum, Invariant)
                : value is double number
                    && (range.MinimumIsExclusive ? number > (double)range.Minimum : number >= (double)range.Minimum)
                    && (range.MaximumIsExclusive ? number < (double)range.Maximum : number <= (double)range.Maximum);

    private static string Expectation(Type type, PropertyInfo property)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsGenericType)
            return type.GetGenericArguments()[0] == typeof(string) ? "a text or a list of texts" : "a file or a list of files";
        if (type == typeof(string))
            return property.IsDefined(typeof(MinLengthAttribute)) ? "a text that is not empty" : "a text (in quotes if it holds { } [ ] : or #)";
        if (type == typeof(bool))
            return "true or false";
        if (type == typeof(DateOnly))
            return "a date such as 2024-07-26";
        if (type.IsEnum)
            return "one of " + string.Join(", ", Enum.GetNames(type).Select(RecipeNames.Of));
        if (type.IsClass)
            return RecipeNames.ShorthandOf(type) is { } shorthand ? $"its {RecipeNames.Of(shorthand.Name)}, or a section" : "a section";
        string kind = type == typeof(int) ? "a whole number" : "a number";
        if (property.GetCustomAttribute<RangeAttribute>() is not { } range)
            return kind;
        string low = string.Create(Invariant, $"{(range.MinimumIsExclusive ? "above" : "of at least")} {range.Minimum}");
        return type != typeof(int) && Convert.ToDouble(range.Maximum, Invariant) >= 1e6
            ? $"{kind} {low}"
            : string.Create(Invariant, $"{kind} {low} and {(range.MaximumIsExclusive ? "below" : "at most")} {range.Maximum}");
    }

    private void Complain(RecipeNode node, string path, string expected)
    {
        string found = node.Kind switch
        {
            RecipeNodeKind.List => "a list",
            RecipeNodeKind.Map => "a map",
            _ when node.IsNull => "nothing",
            _ => node.Quoted ? $"the text '{Shortened(node.Text)}'" : $"'{Shortened(node.Text)}'",
        };
        problems.Add(node.Location, $"{path}: found {found}, expected {expected}.{Hint(node, expected)}");
    }

    private static string Hint(RecipeNode node, string expected)
    {
        if (node.Kind != RecipeNodeKind.Scalar)
            return "";
        if (expected.StartsWith("one of ", StringComparison.Ordinal))
            return NearestName.Of(node.Text, expected["one of ".Length..].Split(", ")) is { } near ? $" Did you mean {near}?" : "";
        if (expected == "true or false")
            return node.Text.ToLowerInvariant() is "yes" or "on" or "1" ? " Write true." : node.Text.ToLowerInvariant() is "no" or "off" or "0" ? " Write false." : "";
        if (expected.Contains("number", StringComparison.Ordinal))
        {
            if (node.Quoted)
                return " Remove the quotes.";
            if (node.Text.Contains(',', StringComparison.Ordinal))
                return " Write a point for decimals and nothing between thousands.";
        }
        return "";
    }

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..57] + "…";

    private static string Describe(string path) => path.Length == 0 ? "a recipe" : path;

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
