using System.Globalization;

namespace Lorikeet.Text;

/// <summary>The <c>attribute='function.name'</c> of filters: items and attributes, one inside the other.</summary>
internal sealed class AttributePath
{
    private readonly object?[] _parts;

    /// <summary>Reads the path.</summary>
    /// <param name="attribute">A dotted path, a number, or None for the value itself.</param>
    public AttributePath(object? attribute)
    {
        _parts = attribute switch
        {
            null => [],
            string path => [.. path.Split('.').Select(Part)],
            _ => [attribute],
        };
    }

    /// <summary>The value at the path; <paramref name="fallback"/> (unless None) replaces what does not exist on the way.</summary>
    public object? Read(RenderState state, object? value, object? fallback = null)
    {
        foreach (object? part in _parts)
        {
            value = Access.Item(state, value, part);
            if (value is Undefined && fallback is not null)
                value = fallback;
        }
        return value;
    }

    private static object? Part(string part) =>
        part.Length > 0 && part.All(char.IsAsciiDigit) && long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long index)
            ? Boxed.Int(index)
            : part;
}
