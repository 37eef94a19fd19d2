namespace Lorikeet.Training;

/// <summary>What a data file is made of.</summary>
public enum DataFileType
{
    /// <summary>A JSON object a line (<c>.jsonl</c>, <c>.ndjson</c>).</summary>
    Jsonl,
    /// <summary>One JSON list of objects (<c>.json</c>).</summary>
    Json,
    /// <summary>A table with a header line, divided by commas (<c>.csv</c>).</summary>
    Csv,
    /// <summary>A table with a header line, divided by tabs (<c>.tsv</c>).</summary>
    Tsv,
    /// <summary>Text: lines that a separator divides into fields, or running text (any other name).</summary>
    Text,
}
