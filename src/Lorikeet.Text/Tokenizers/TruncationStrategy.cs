namespace Lorikeet.Text;

/// <summary>Which of two texts gives way when a pair is too long.</summary>
public enum TruncationStrategy
{
    /// <summary>The longer one, until both are equal, then both alike.</summary>
    LongestFirst,

    /// <summary>Only the first.</summary>
    OnlyFirst,

    /// <summary>Only the second.</summary>
    OnlySecond,
}
