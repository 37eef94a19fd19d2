using System.Reflection;
using System.Text;

namespace Lorikeet.Training;

/// <summary>The names of keys and choices: those of the code, written as recipes do.</summary>
internal static class RecipeNames
{
    /// <summary>How recipes write a date.</summary>
    public const string DateFormat = "yyyy-MM-dd";

    /// <summary><c>BatchSize</c> as <c>batch_size</c>.</summary>
    public static string Of(string name)
    {
        StringBuilder text = new();
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0 && char.IsLower(name[i - 1]))
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    /// <summary>The keys of a section, in the order of its declaration.</summary>
    public static IEnumerable<(string Key, PropertyInfo Property)> KeysOf(Type section) =>
        from property in section.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.SetMethod is not null
        orderby property.MetadataToken
        select (Of(property.Name), property);

    /// <summary>The property that a plain value in place of the section sets, or null.</summary>
    public static PropertyInfo? ShorthandOf(Type section) =>
        section.GetCustomAttribute<ShorthandAttribute>() is { } shorthand ? section.GetProperty(shorthand.Property) : null;
}
