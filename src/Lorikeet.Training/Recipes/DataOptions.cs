using System.ComponentModel.DataAnnotations;

namespace Lorikeet.Training;

/// <summary>What a run learns from.</summary>
[Shorthand(nameof(Train))]
public sealed record DataOptions
{
    /// <summary>Tokens of a sequence at most, when neither recipe nor model say less.</summary>
    public const int UsualMaxLength = 2048;

    /// <summary>The files to train on.</summary>
    [Required]
    public IReadOnlyList<DataSource> Train { get; init; } = [];

    /// <summary>The files to evaluate on.</summary>
    public IReadOnlyList<DataSource> Eval { get; init; } = [];

    /// <summary>Share of the training rows that is held out for evaluation instead; 0.</summary>
    [Range(0.0, 0.9)]
    public double EvalFraction { get; init; }

    /// <summary>Chooses which rows <see cref="EvalFraction"/> holds out.</summary>
    [Range(0, int.MaxValue)]
    public int SplitSeed { get; init; } = 42;

    /// <summary>Which tokens count in the loss; when not given: completions, the assistant's turns of chats, and the whole of plain text.</summary>
    public LossOn? LossOn { get; init; }

    /// <summary>The day that chat templates are told; when not given the day that the run begins.</summary>
    public DateOnly? Date { get; init; }

    /// <summary>Tokens of a sequence at most; when not given 2048, or what the model can see if that is less.</summary>
    [Range(2, 10_000_000)]
    public int? MaxLength { get; init; }

    /// <summary>What happens to longer rows; when not given: keep_start, and split for files of plain text.</summary>
    public Truncation? Truncation { get; init; }

    /// <summary>How rows are put together to sequences.</summary>
    public Packing Packing { get; init; } = Packing.None;

    /// <summary>In which order rows are seen.</summary>
    public RowOrder Order { get; init; } = RowOrder.Shuffle;
}
