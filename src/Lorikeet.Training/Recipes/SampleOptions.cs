using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>What the model is asked before and after training, for the report.</summary>
public sealed record SampleOptions
{
    /// <summary>Prompts; when there are none, those of the first held-out rows.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    /// <summary>How many held-out rows give their prompt when none is written; 0 for no samples.</summary>
    [Range(0, 100)]
    public int Count { get; init; } = 3;

    /// <summary>Tokens that an answer may have.</summary>
    [Range(1, 100_000)]
    public int MaxNewTokens { get; init; } = 64;

    /// <summary>Strings that end an answer besides the model's end tokens; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];
}
