namespace Lorikeet.Training;

/// <summary>What a file's name says about it.</summary>
internal static class DataFileTypes
{
    /// <summary>What the source says it is, else what its name says.</summary>
    public static DataFileType Of(DataSource source) => source.FileType ?? Path.GetExtension(source.Path).ToLowerInvariant() switch
    {
        ".jsonl" or ".ndjson" or ".jsonlines" => DataFileType.Jsonl,
        ".json" => DataFileType.Json,
        ".csv" => DataFileType.Csv,
        ".tsv" => DataFileType.Tsv,
        _ => DataFileType.Text,
    };

    /// <summary>In words.</summary>
    public static string Describe(DataFileType type) => type switch
    {
        DataFileType.Jsonl => "JSON lines",
        DataFileType.Json => "a JSON list",
        DataFileType.Csv => "a table divided by commas",
        DataFileType.Tsv => "a table divided by tabs",
        _ => "plain text",
    };
}
