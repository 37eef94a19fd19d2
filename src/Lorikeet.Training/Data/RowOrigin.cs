namespace Lorikeet.Training;

/// <summary>Where a row of data stands.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">1-based line that it begins on.</param>
public readonly record struct RowOrigin(string File, int Line)
{
    /// <summary><c>rows.jsonl:17</c></summary>
    public override string ToString() => string.Create(Invariant, $"{File}:{Line}");
}
