using System.Text;

namespace Lorikeet.Training;

/// <summary>A text with <c>{field}</c> for each field of a row that goes into it; <c>{{</c> and <c>}}</c> stand for braces.</summary>
internal sealed class RowTemplate
{
    private readonly List<(string Text, bool IsField)> _parts = [];

    /// <summary>Reads a template.</summary>
    /// <exception cref="FormatException">A brace has no partner.</exception>
    public RowTemplate(string template)
    {
        if (Read(template, _parts) is { } problem)
            throw new FormatException(problem);
    }

    /// <summary>The fields that it names.</summary>
    public IEnumerable<string> Fields => _parts.Where(part => part.IsField).Select(part => part.Text).Distinct();

    /// <summary>What is wrong with a template, or null.</summary>
    public static string? Check(string template) => Read(template, []);

    /// <summary>The text for one row.</summary>
    /// <param name="field">Gives the text of a field.</param>
    public string Fill(Func<string, string> field)
    {
        StringBuilder text = new();
        foreach ((string part, bool isField) in _parts)
            text.Append(isField ? field(part) : part);
        return text.ToString();
    }

    private static string? Read(string template, List<(string, bool)> parts)
    {
        StringBuilder text = new();
        for (int i = 0; i < template.Length; i++)
        {
            char c = template[i];
            if (c is '{' or '}' && i + 1 < template.Length && template[i + 1] == c)
            {
                text.Append(c);
                i++;
            }
            else if (c == '}')
            {
                return $"found }} without {{ at character {i + 1} of the template, expected {{field}}; write }}}} for a brace";
            }
            else if (c == '{')
            {
                int end = template.IndexOfAny(['{', '}'], i + 1);
                if (end < 0 || template[end] == '{')
                    return $"found {{ without }} at character {i + 1} of the template, expected {{field}}; write {{{{ for a brace";
                if (end == i + 1)
                    return $"found {{}} without a name at character {i + 1} of the template, expected {{field}}";
                if (text.Length > 0)
                    parts.Add((text.ToString(), false));
                text.Clear();
                parts.Add((template[(i + 1)..end].Trim(), true));
                i = end;
            }
            else
            {
                text.Append(c);
            }
        }
        if (text.Length > 0)
            parts.Add((text.ToString(), false));
        return null;
    }
}
