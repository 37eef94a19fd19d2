namespace Lorikeet.Text;

/// <summary>What becomes of the matches that a piece is cut at.</summary>
internal enum SplitBehavior
{
    /// <summary>They are left out.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>Each joins the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each joins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches form one piece.</summary>
    Contiguous,
}
