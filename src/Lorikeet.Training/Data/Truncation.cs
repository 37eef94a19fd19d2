namespace Lorikeet.Training;

/// <summary>What happens to a row that is longer than <c>max_length</c>. A row that keeps no target token is left out and counted.</summary>
public enum Truncation
{
    /// <summary>Its first tokens are kept.</summary>
    KeepStart,
    /// <summary>Its last tokens are kept.</summary>
    KeepEnd,
    /// <summary>It is cut into rows of <c>max_length</c> tokens, the last one shorter.</summary>
    Split,
    /// <summary>It is left out.</summary>
    Drop,
    /// <summary>It is a problem that stops the run before it starts.</summary>
    Refuse,
}
