namespace Lorikeet.Text;

/// <summary>A tokenizer's files cannot be used, or a text cannot be encoded with them; the message lists every problem that was found.</summary>
public sealed class TokenizerException : FormatException
{
    /// <summary>Creates the exception for one or more problems.</summary>
    /// <param name="source">The file, folder or field at fault.</param>
    /// <param name="problems">One sentence for each problem: where, what was found, what was expected.</param>
    public TokenizerException(string source, IReadOnlyList<string> problems)
        : base(Describe(source, problems))
    {
        Problems = problems;
    }

    /// <summary>Creates the exception for one problem.</summary>
    /// <param name="source">The file, folder or field at fault.</param>
    /// <param name="problem">What was found and what was expected.</param>
    public TokenizerException(string source, string problem)
        : this(source, [problem])
    {
    }

    /// <summary>All problems, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; }

    private static string Describe(string source, IReadOnlyList<string> problems) =>
        problems.Count == 1
            ? $"{source}: {problems[0]}"
            : $"{source}: {problems.Count} problems\n  - {string.Join("\n  - ", problems)}";
}
