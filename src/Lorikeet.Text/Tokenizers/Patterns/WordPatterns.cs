namespace Lorikeet.Text;

/// <summary>Picks the fastest way to run a regular expression: a scanner made for it, or the general engine.</summary>
internal static class WordPatterns
{
    private static readonly Dictionary<string, TextPattern> Scanners = MakeScanners();

    /// <summary>The pattern of an expression.</summary>
    /// <exception cref="PatternException">The expression cannot be read.</exception>
    public static TextPattern For(string expression) =>
        Scanners.TryGetValue(expression, out TextPattern? scanner) ? scanner : new RegularExpression(expression);

    private static Dictionary<string, TextPattern> MakeScanners()
    {
        Dictionary<string, TextPattern> scanners = new(StringComparer.Ordinal) { [Gpt2WordPattern.Source] = Gpt2WordPattern.Instance };
        foreach (int digits in (int[])[1, 2, 3])
        {
            string[] spellings = Cl100kWordPattern.SourcesFor(digits);
            scanners[spellings[0]] = new Cl100kWordPattern(digits);
            scanners[spellings[1]] = new Cl100kWordPattern(digits) { Folds = false };
        }
        return scanners;
    }
}
