using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// Gathers what is wrong with user input, so that everything is reported at once. Only the first problems are kept as text; the others
/// are counted.
/// </summary>
/// <param name="shown">How many problems are spelled out.</param>
public sealed class ProblemList(int shown = 20)
{
    private readonly List<string> _problems = [];

    /// <summary>Every problem so far, spelled out or not.</summary>
    public int Count { get; private set; }

    /// <summary>The problems that are spelled out.</summary>
    public IReadOnlyList<string> Lines => _problems;

    /// <summary>Adds a problem: where it is, what was found, what was expected, what to do.</summary>
    public void Add(string problem)
    {
        Count++;
        if (_problems.Count < shown)
            _problems.Add(problem);
    }

    /// <summary>Throws when there is any problem.</summary>
    /// <exception cref="InputException">With all of them.</exception>
    public void ThrowIfAny(string subject)
    {
        if (Count > 0)
            throw new InputException(string.Create(Invariant, $"{subject}: {Count:N0} problem{(Count == 1 ? "" : "s")}"), _problems, Count);
    }
}
