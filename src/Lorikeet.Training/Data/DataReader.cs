using System.Text.Json.Nodes;

namespace Lorikeet.Training;

/// <summary>Reads the rows of one file, whatever its form, as they are needed.</summary>
internal sealed class DataReader(DataSource source, bool hasChatTemplate, ProblemList problems)
{
    private readonly DataFileType _type = TypeOf(source);

    /// <summary>Rows that were read.</summary>
    public int Rows { get; private set; }

    /// <summary>What the file turned out to be, for people; complete when the rows have been read.</summary>
    public string Description { get; private set; } = "";

    /// <summary>Whether the file is running text instead of rows with fields.</summary>
    public bool IsRunningText => source.Separator is null && _type == DataFileType.Text;

    /// <summary>The rows; those with problems are left out, and an empty file is a problem.</summary>
    public IEnumerable<DataRow> Read()
    {
        int before = problems.Count;
        bool any = false;
        foreach (DataRow row in IsRunningText ? Running() : Shaped())
        {
            any = true;
            Rows++;
            yield return row;
        }
        if (!any && problems.Count == before)
        {
            problems.Add(new FileInfo(source.Path).Length == 0
                ? $"{source.Path}: the file is empty, expected rows of data."
                : $"{source.Path}: found no rows{(source.Skip > 0 ? string.Create(Invariant, $" after the {source.Skip:N0} that are skipped") : "")}, expected data.");
        }
    }

    private IEnumerable<DataRow> Running()
    {
        Description = source.SplitBy switch { TextUnit.File => "running text", TextUnit.Paragraph => "paragraphs of text", _ => "lines of text" };
        foreach ((RowOrigin origin, string text) in Chosen(TextRows.Running(source, problems)))
            yield return new TextRow(origin, source.Strip ? text.Trim() : text);
    }

    private IEnumerable<DataRow> Shaped()
    {
        IEnumerable<(RowOrigin, JsonObject)> rows = _type switch
        {
            DataFileType.Jsonl => JsonRows.Lines(source.Path, problems),
            DataFileType.Json => JsonRows.List(source.Path, problems),
            DataFileType.Csv => TableRows.Read(source.Path, ',', problems),
            DataFileType.Tsv => TableRows.Read(source.Path, '\t', problems),
            _ => TextRows.Separated(source, problems),
        };
        RowShape? shape = null;
        foreach ((RowOrigin origin, JsonObject row) in Chosen(rows))
        {
            shape ??= RowShape.Of(source, row, origin, hasChatTemplate, problems);
            if (shape is null)
                yield break; // without a shape every row would repeat the problem
            DataRow? read = shape.Read(origin, row);
            Description = $"{shape.Description}, from {(_type == DataFileType.Text ? $"lines divided by '{source.Separator}'" : DataFileTypes.Describe(_type))}";
            if (read is not null)
                yield return read;
        }
    }

    private IEnumerable<T> Chosen<T>(IEnumerable<T> rows)
    {
        rows = rows.Skip(source.Skip);
        if (source.Every > 1)
            rows = rows.Where((_, index) => index % source.Every == 0);
        return source.Limit is { } limit ? rows.Take(limit) : rows;
    }

    // names of JSON files are not told apart reliably: their first character is
    private static DataFileType TypeOf(DataSource source)
    {
        DataFileType type = DataFileTypes.Of(source);
        if (source.FileType is null && type is DataFileType.Json or DataFileType.Jsonl && Utf8Lines.FirstByte(source.Path) is int first and >= 0)
            return first == '[' ? DataFileType.Json : DataFileType.Jsonl;
        return type;
    }
}
