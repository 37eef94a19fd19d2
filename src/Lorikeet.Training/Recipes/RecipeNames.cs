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

    /// <summary>The name among <paramref name="known"/> that is nearest to <paramref name="found"/>, or null when none is near.</summary>
    public static string? Nearest(string found, IEnumerable<string> known)
    {
        string? best = null;
        int least = Math.Max(1, found.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(found.ToLowerInvariant(), candidate);
            if (distance < least)
            {
                least = distance;
                best = candidate;
            }
        }
        return best;
    }

    // edits between two words: insert, delete, replace, swap neighbours
    private static int Distance(string a, string b)
    {
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }
                int replace = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replace, 1 + Math.Min(cost[i - 1, j], cost[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }
}
