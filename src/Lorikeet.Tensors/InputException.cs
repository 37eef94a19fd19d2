using System.Text;

namespace Lorikeet.Tensors;

/// <summary>
/// Something that a user handed in cannot be used: a file, a recipe, an option. It carries every problem that was found, each one saying
/// where it is, what was found, what was expected and what to do. Programs print the message and exit with 2; no stack trace is shown.
/// </summary>
public class InputException : Exception
{
    private const int MostShown = 20;

    /// <summary>One problem.</summary>
    public InputException(string problem) : this(problem, [problem]) { }

    /// <summary>One problem, and the failure that revealed it.</summary>
    public InputException(string problem, Exception inner) : base(problem, inner) => Problems = [problem];

    /// <summary>Several problems under one headline; the message shows the first twenty.</summary>
    public InputException(string headline, IReadOnlyList<string> problems) : base(Compose(headline, problems)) => Problems = problems;

    /// <summary>Every problem, one sentence or two each.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>The first of many problems under one headline; the message shows them and counts the others.</summary>
    /// <param name="headline">What they are problems of.</param>
    /// <param name="first">Those that are spelled out.</param>
    /// <param name="count">How many there are in all.</param>
    public InputException(string headline, IReadOnlyList<string> first, int count) : base(Compose(headline, first, first?.Count ?? 0, count)) => Problems = first!;

    private static string Compose(string headline, IReadOnlyList<string> problems) =>
        problems.Count == 1 && problems[0] == headline ? headline : Compose(headline, problems, MostShown, problems.Count);

    private static string Compose(string headline, IReadOnlyList<string> problems, int shown, int count)
    {
        StringBuilder text = new(headline);
        foreach (string problem in problems.Take(shown))
            text.Append("\n  - ").Append(problem);
        if (count > shown)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\n  - … and {count - shown:N0} more");
        return text.ToString();
    }
}
