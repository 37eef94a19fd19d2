using System.Text;
using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>Rows of a plain text file.</summary>
internal static class TextRows
{
    private static readonly string[] UsualFields = ["prompt", "completion"];

    /// <summary>Lines that a separator divides into fields; empty lines do not count.</summary>
    public static IEnumerable<(RowOrigin Origin, JsonObject Row)> Separated(DataSource source, ProblemList problems)
    {
        IReadOnlyList<string> names = source.Fields ?? UsualFields;
        foreach ((int line, string text) in Utf8Lines.Read(source.Path, problems))
        {
            if (string.IsNullOrWhiteSpace(text))
                continue;
            RowOrigin origin = new(source.Path, line);
            string[] parts = text.Split(source.Separator!);
            if (parts.Length != names.Count)
            {
                problems.Add($"{origin}: found {parts.Length - 1} times '{source.Separator}', expected {names.Count - 1} between {string.Join(", ", names)}.");
                continue;
            }
            JsonObject row = [];
            for (int i = 0; i < parts.Length; i++)
                row[names[i]] = parts[i];
            yield return (origin, row);
        }
    }

    /// <summary>Running text: the whole file, its paragraphs or its lines. Lines end in a line feed, whatever the file used.</summary>
    public static IEnumerable<(RowOrigin Origin, string Text)> Running(DataSource source, ProblemList problems)
    {
        StringBuilder gathered = new();
        int began = 1, last = 0;
        foreach ((int line, string text) in Utf8Lines.Read(source.Path, problems))
        {
            bool empty = string.IsNullOrWhiteSpace(text);
            if (source.SplitBy == TextUnit.Line)
            {
                if (!empty)
                    yield return (new RowOrigin(source.Path, line), text);
                continue;
            }
            if (source.SplitBy == TextUnit.Paragraph && empty)
            {
                if (gathered.Length > 0)
                    yield return (new RowOrigin(source.Path, began), gathered.ToString());
                gathered.Clear();
                continue;
            }
            if (gathered.Length == 0 && last == 0 || source.SplitBy == TextUnit.Paragraph && gathered.Length == 0)
                began = line;
            else
                gathered.Append('\n');
            gathered.Append(text);
            last = line;
        }
        if (gathered.Length > 0)
            yield return (new RowOrigin(source.Path, began), gathered.ToString());
    }
}
