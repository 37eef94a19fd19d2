namespace Lorikeet.Text;

/// <summary>A part of a parsed regular expression.</summary>
internal abstract record ExpressionNode
{
    /// <summary>One character of a set.</summary>
    public sealed record One(CharacterSet Set) : ExpressionNode;

    /// <summary>Parts in order; none matches the empty text.</summary>
    public sealed record Chain(List<ExpressionNode> Parts) : ExpressionNode;

    /// <summary>Alternatives, the first that leads to a match counts.</summary>
    public sealed record Choice(List<ExpressionNode> Options) : ExpressionNode;

    /// <summary>A repeated part; a maximum of -1 is none.</summary>
    public sealed record Repeat(ExpressionNode Body, int Minimum, int Maximum, RepeatMode Mode) : ExpressionNode;

    /// <summary>A part that never gives back what it has matched.</summary>
    public sealed record Atomic(ExpressionNode Body) : ExpressionNode;

    /// <summary>A condition on what follows or precedes.</summary>
    public sealed record Look(ExpressionNode Body, bool Behind, bool Negative) : ExpressionNode;

    /// <summary>A condition on the place.</summary>
    public sealed record Anchor(ExpressionOp Op) : ExpressionNode;
}
