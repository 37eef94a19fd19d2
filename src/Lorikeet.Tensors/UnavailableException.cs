namespace Lorikeet.Tensors;

/// <summary>
/// What the user asked for is right, but cannot be had at this moment: the disk is full, a server does not answer. The same call may succeed later.
/// Programs print the message and exit with 1, not with 2.
/// </summary>
public sealed class UnavailableException : InputException
{
    /// <summary>One problem.</summary>
    public UnavailableException(string problem) : base(problem) { }

    /// <summary>One problem, and the failure that revealed it.</summary>
    public UnavailableException(string problem, Exception inner) : base(problem, inner) { }

    /// <summary>Several problems under one headline.</summary>
    public UnavailableException(string headline, IReadOnlyList<string> problems) : base(headline, problems) { }
}
