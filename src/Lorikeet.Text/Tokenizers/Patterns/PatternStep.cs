namespace Lorikeet.Text;

/// <summary>An instruction of a compiled regular expression; what X and Y mean depends on the operation.</summary>
internal sealed class PatternStep(PatternOp op)
{
    public PatternOp Op { get; } = op;

    public CharacterSet? Set { get; init; }

    public int X { get; set; }

    public int Y { get; set; }

    public int Minimum { get; init; }

    public RepeatMode Mode { get; init; }

    public bool Negative { get; init; }
}
