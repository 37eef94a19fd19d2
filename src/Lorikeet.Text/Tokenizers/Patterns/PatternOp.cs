namespace Lorikeet.Text;

/// <summary>What one instruction of a compiled regular expression does.</summary>
internal enum PatternOp
{
    /// <summary>The expression, or the part looked at, has matched.</summary>
    Match,

    /// <summary>One character of the set.</summary>
    One,

    /// <summary>X to Y characters of the set.</summary>
    Run,

    /// <summary>Go on at X, and if that fails at Y.</summary>
    Split,

    /// <summary>Go on at X.</summary>
    Jump,

    /// <summary>Remember the place in register X.</summary>
    Mark,

    /// <summary>Fail where nothing was matched since the mark in register X.</summary>
    Progress,

    /// <summary>The part that follows, up to its match, must match here, or must not; go on at X.</summary>
    Ahead,

    /// <summary>The part that follows must match up to here, or must not; go on at X.</summary>
    Behind,

    /// <summary>The place that a look behind was asked from.</summary>
    BehindEnd,

    /// <summary>The part that follows matches once and for all; go on at X.</summary>
    Atomic,

    /// <summary>Begin of a line.</summary>
    LineStart,

    /// <summary>End of a line.</summary>
    LineEnd,

    /// <summary>Begin of the text.</summary>
    TextStart,

    /// <summary>End of the text.</summary>
    TextEnd,

    /// <summary>End of the text or the line feed that ends it.</summary>
    LastLineEnd,

    /// <summary>Between a word character and another.</summary>
    WordBorder,

    /// <summary>Not between a word character and another.</summary>
    NoWordBorder,
}
