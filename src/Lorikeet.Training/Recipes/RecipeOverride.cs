using System.Globalization;
using System.Reflection;

namespace Lorikeet.Training;

/// <summary>Puts <c>section.key=value</c> from the command line into what the file said, before either is checked.</summary>
internal static class RecipeOverride
{
    /// <summary>Applies one option.</summary>
    public static void Apply(RecipeNode root, string option, RecipeProblems problems)
    {
        string source = $"--set {option}";
        RecipeLocation place = new(source, 0, 0);
        int equals = option.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            problems.Add(place, "expected section.key=value, such as training.learning_rate=1e-4.");
            return;
        }
        string[] path = option[..equals].Trim().Split('.');
        if (Array.Exists(path, string.IsNullOrWhiteSpace))
        {
            problems.Add(place, $"found an empty name between the points of '{option[..equals]}', expected section.key=value.");
            return;
        }

        RecipeNode node = root;
        Type? type = typeof(Recipe);
        for (int i = 0; ; i++)
        {
            (RecipeNode child, Type? childType)? next = null;
            bool last = i == path.Length - 1;
            if (node.Kind == RecipeNodeKind.List)
            {
                if (!int.TryParse(path[i], NumberStyles.None, Invariant, out int index) || index >= node.Items.Count)
                {
                    problems.Add(place, $"{string.Join('.', path[..i])} is a list of {node.Items.Count}: expected a number from 0 to {node.Items.Count - 1} in place of '{path[i]}'.");
                    return;
                }
                RecipeNode item = last ? Written(option[(equals + 1)..], source, type, problems) : Opened(node.Items[index], type, place);
                node.Replace(index, item);
                next = (item, type);
            }
            else
            {
                PropertyInfo? property = type is null ? null : RecipeNames.KeysOf(type).FirstOrDefault(k => k.Key == path[i]).Property;
                Type? valueType = property is null ? null : ItemOf(property.PropertyType);
                RecipeNode value = last
                    ? Written(option[(equals + 1)..], source, valueType, problems)
                    : Opened(node[path[i]] ?? new(RecipeNodeKind.Map, place), valueType, place);
                node.Set(new RecipeEntry(path[i], place, value));
                next = (value, valueType);
            }
            if (last)
                return;
            (node, type) = next.Value;
            if (node.Kind == RecipeNodeKind.Scalar)
            {
                problems.Add(place, $"{string.Join('.', path[..(i + 1)])} is a plain value and has no key '{path[i + 1]}'.");
                return;
            }
        }
    }

    // a section that was written as one plain value becomes a map, so that further keys fit beside it
    private static RecipeNode Opened(RecipeNode node, Type? type, RecipeLocation place)
    {
        if (node.IsNull)
            return new RecipeNode(RecipeNodeKind.Map, place);
        if (type is null || node.Kind == RecipeNodeKind.Map || RecipeNames.ShorthandOf(type) is not { } shorthand)
            return node;
        if (node.Kind == RecipeNodeKind.List && !shorthand.PropertyType.IsGenericType)
            return node;
        RecipeNode map = new(RecipeNodeKind.Map, node.Location);
        map.Set(new RecipeEntry(RecipeNames.Of(shorthand.Name), node.Location, node));
        return map;
    }

    // texts are taken as they are, so that {braces} and colons need no quotes; everything else is YAML
    private static RecipeNode Written(string text, string source, Type? type, RecipeProblems problems)
    {
        RecipeLocation place = new(source, 0, 0);
        bool quoted = text.Length >= 2 && text[0] is '"' or '\'' && text[^1] == text[0];
        if (type == typeof(string) && !quoted && !text.StartsWith('['))
            return new RecipeNode(RecipeNodeKind.Scalar, place) { Text = text };
        return text.Trim().Length == 0
            ? new RecipeNode(RecipeNodeKind.Scalar, place)
            : RecipeParser.ParseOption(text, source, problems) ?? new RecipeNode(RecipeNodeKind.Scalar, place);
    }

    private static Type ItemOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : type;
}
