namespace Lorikeet.Training;

/// <summary>What a data file turned out to be.</summary>
public sealed record DataFileReport
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>What its rows are, in words.</summary>
    public required string Description { get; init; }

    /// <summary>Rows that were read.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows longer than <c>max_length</c>.</summary>
    public required int Longer { get; init; }

    /// <summary>Rows that were left out, because they were too long or kept nothing to learn.</summary>
    public required int Dropped { get; init; }

    /// <summary>Tokens of the longest row, before it was cut.</summary>
    public required int Longest { get; init; }

    /// <summary>Tokens that are used.</summary>
    public required long Tokens { get; init; }

    /// <summary>Tokens that count in the loss.</summary>
    public required long TargetTokens { get; init; }

    /// <summary>What happened to rows longer than <c>max_length</c>.</summary>
    public required Truncation Truncation { get; init; }

    /// <summary>Whether it is evaluated on, not trained on.</summary>
    public bool ForEvaluation { get; init; }

    /// <summary>All of it in a line or two.</summary>
    public override string ToString()
    {
        string text = string.Create(Invariant,
            $"{Path}: {Rows:N0} row{(Rows == 1 ? "" : "s")} of {Description}; {Tokens:N0} tokens, {TargetTokens:N0} of them counted in the loss, the longest row {Longest:N0}");
        if (Longer > 0)
        {
            string fate = Truncation switch
            {
                Truncation.KeepStart => "cut at the end",
                Truncation.KeepEnd => "cut at the beginning",
                Truncation.Split => "divided",
                _ => "left out",
            };
            text += string.Create(Invariant, $"; {Longer:N0} longer than max_length, {fate}");
        }
        int empty = Truncation == Truncation.Drop ? Dropped - Longer : Dropped;
        if (empty > 0)
            text += string.Create(Invariant, $"; {empty:N0} left out with nothing to learn");
        return text;
    }
}
