using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>Reads the Unicode tables that are embedded as text: lines of a letter and hexadecimal numbers.</summary>
internal static class UnicodeResource
{
    /// <summary>The fields of each line, comments left out.</summary>
    public static IEnumerable<string[]> Lines(string name)
    {
        using Stream stream = typeof(UnicodeResource).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the table {name} is not embedded in the assembly");
        using StreamReader reader = new(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && line[0] != '#')
                yield return line.Split(' ');
    }

    /// <summary>A hexadecimal code point.</summary>
    public static int CodePoint(string field) => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
