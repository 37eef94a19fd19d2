namespace Lorikeet.Training;

/// <summary>A run as its report tells it.</summary>
public sealed record RunReport
{
    /// <summary>What was trained on what, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>How it ended: <c>finished</c>, or why it stopped before.</summary>
    public required string Outcome { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Names and values that come first: model, trained parameters, memory …</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    /// <summary>Every step.</summary>
    public IReadOnlyList<StepReport> Steps { get; init; } = [];

    /// <summary>Every evaluation.</summary>
    public IReadOnlyList<EvaluationReport> Evaluations { get; init; } = [];

    /// <summary>What the model said before and after.</summary>
    public IReadOnlyList<RunSample> Samples { get; init; } = [];

    /// <summary>What is worth knowing about data and run, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The whole recipe, as YAML.</summary>
    public string Recipe { get; init; } = "";
}
