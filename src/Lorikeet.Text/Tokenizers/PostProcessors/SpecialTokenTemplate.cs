namespace Lorikeet.Text;

/// <summary>Where special tokens go around one text and around a pair, and how offsets are finished.</summary>
internal sealed record SpecialTokenTemplate
{
    /// <summary>Nothing added; the second text of a pair has type 1.</summary>
    public static SpecialTokenTemplate None { get; } = new();

    /// <summary>The parts for one text.</summary>
    public TemplatePart[] Single { get; init; } = [new(0, [], 0)];

    /// <summary>The parts for a pair.</summary>
    public TemplatePart[] Pair { get; init; } = [new(0, [], 0), new(1, [], 1)];

    /// <summary>Offsets leave out the blanks at both ends of a byte-level token.</summary>
    public bool TrimOffsets { get; init; }

    /// <summary>The first token's leading blank was put there by the tokenizer, so trimming keeps off it.</summary>
    public bool FirstBlankIsAdded { get; init; }

    /// <summary>Number of tokens added around one text or a pair.</summary>
    public int AddedCount(bool pair) => (pair ? Pair : Single).Sum(p => p.Ids.Length);

    /// <summary>Tokens in front of and after one text.</summary>
    public static SpecialTokenTemplate Around(int[] before, int[] after) => new()
    {
        Single = Parts(new(-1, before, 0), new(0, [], 0), new(-1, after, 0)),
        Pair = Parts(new(-1, before, 0), new(0, [], 0), new(-1, after, 0), new(-1, before, 1), new(1, [], 1), new(-1, after, 1)),
    };

    private static TemplatePart[] Parts(params TemplatePart[] parts) => [.. parts.Where(p => p.Sequence >= 0 || p.Ids.Length > 0)];
}
