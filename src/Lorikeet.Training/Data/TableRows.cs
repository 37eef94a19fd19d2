using System.Text.Json.Nodes;
using CsvHelper;

namespace Lorikeet.Training;

/// <summary>Rows of a table with a header line (RFC 4180, with any delimiter).</summary>
internal static class TableRows
{
    // a quote that is never closed must not gather a whole file
    private const int LargestRow = 1 << 26;

    /// <summary>Each row as an object of texts under the names of the columns.</summary>
    public static IEnumerable<(RowOrigin Origin, JsonObject Row)> Read(string path, char delimiter, ProblemList problems)
    {
        if (!Utf8Lines.Check(path, problems))
            yield break;
        string[] columns = [];
        CsvReaderOptions options = new()
        {
            Separator = delimiter,
            TrackLineNumbers = true,
            MaxRecordSize = LargestRow,
            MalformedData = CsvMalformedDataHandling.Skip,
            FieldCountMismatch = CsvFieldCountHandling.Skip,
            OnMalformedRecord = bad => problems.Add($"{new RowOrigin(path, (int)bad.LineNumber)}: {Explain(bad.Reason, columns)}"),
        };
        using CsvReader table = CsvReader.FromFile(path, options);
        columns = [.. table.Headers];
        if (columns.Length == 0)
            yield break;
        CheckHeader(path, columns, delimiter, problems);
        while (Advance(table, path, problems))
        {
            JsonObject row = [];
            for (int i = 0; i < columns.Length; i++)
                row[columns[i]] = table.GetString(i);
            yield return (new RowOrigin(path, (int)table.LineNumber), row);
        }
    }

    private static bool Advance(CsvReader table, string path, ProblemList problems)
    {
        try
        {
            return table.Read();
        }
        catch (CsvFormatException failure)
        {
            problems.Add($"{new RowOrigin(path, (int)Math.Max(1, failure.LineNumber))}: {failure.Message} Nothing after this place was read.");
            return false;
        }
    }

    private static string Explain(CsvMalformedReason reason, string[] columns) => reason switch
    {
        CsvMalformedReason.FieldCountMismatch =>
            $"found another number of fields than the {columns.Length} of the header ({Shortened(string.Join(", ", columns))}). Put fields that hold the delimiter or a line end in quotes.",
        CsvMalformedReason.UnterminatedQuote => "found a quote that is never closed. Close it, or double it where it is part of the text.",
        _ => "found a quote in the middle of a field, expected quotes around the whole field. Double it where it is part of the text.",
    };

    private static void CheckHeader(string path, string[] columns, char delimiter, ProblemList problems)
    {
        RowOrigin origin = new(path, 1);
        if (columns is [{ } only] && only.IndexOfAny([';', '\t', '|', ',']) is int at && at >= 0 && only[at] != delimiter)
        {
            problems.Add($"{origin}: found one column '{Shortened(only)}', expected columns divided by {(delimiter == '\t' ? "tabs" : $"'{delimiter}'")}. "
                + (only[at] == '\t' ? "Set file_type: tsv." : only[at] == ',' ? "Set file_type: csv." : "Write the table with commas, or as JSON lines."));
        }
        string? twice = columns.GroupBy(c => c).FirstOrDefault(c => c.Count() > 1)?.Key;
        if (twice is not null)
            problems.Add($"{origin}: found the column '{twice}' twice, expected a name of its own for each column.");
    }

    private static string Shortened(string text) => text.Length <= 80 ? text : text[..77] + "…";
}
