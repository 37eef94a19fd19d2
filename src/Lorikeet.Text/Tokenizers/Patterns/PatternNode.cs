namespace Lorikeet.Text;

/// <summary>A part of a parsed regular expression.</summary>
internal abstract record PatternNode
{
    /// <summary>One character of a set.</summary>
    public sealed record One(CharacterSet Set) : PatternNode;

    /// <summary>Parts in order; none matches the empty text.</summary>
    public sealed record Chain(List<PatternNode> Parts) : PatternNode;

    /// <summary>Alternatives, the first that leads to a match counts.</summary>
    public sealed record Choice(List<PatternNode> Options) : PatternNode;

    /// <summary>A repeated part; a maximum of -1 is none.</summary>
    public sealed record Repeat(PatternNode Body, int Minimum, int Maximum, RepeatMode Mode) : PatternNode;

    /// <summary>A part that never gives back what it has matched.</summary>
    public sealed record Atomic(PatternNode Body) : PatternNode;

    /// <summary>A condition on what follows or precedes.</summary>
    public sealed record Look(PatternNode Body, bool Behind, bool Negative) : PatternNode;

    /// <summary>A condition on the place.</summary>
    public sealed record Anchor(PatternOp Op) : PatternNode;
}
