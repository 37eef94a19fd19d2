namespace Lorikeet.Text;

/// <summary>
/// A regular expression over code points. The runtime's own engine works on UTF-16 units, so that <c>\p{L}</c> misses every letter beyond
/// the first plane; and tokens must be cut exactly where the program cut that the model was trained with.
/// </summary>
internal sealed class RegularExpression : TextPattern
{
    private const long BudgetPerUnit = 4_000;
    private const long SmallestBudget = 4_000_000;

    [ThreadStatic]
    private static PatternMatcher.Backtrack[]? s_stack;

    private readonly string _source;
    private readonly PatternStep[] _steps;
    private readonly int _registers;
    private readonly CharacterSet? _first;

    /// <summary>Compiles an expression.</summary>
    /// <exception cref="PatternException">It is broken or uses what this engine does not know.</exception>
    public RegularExpression(string source)
    {
        _source = source;
        PatternNode node = PatternParser.Parse(source);
        (_steps, _registers) = PatternCompiler.Compile(node);
        _first = FirstCharacters(node);
    }

    public override bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        PatternMatcher matcher = new(_steps, _registers, text, s_stack ??= new PatternMatcher.Backtrack[64], SmallestBudget + text.Length * BudgetPerUnit);
        start = from;
        end = -1;
        while (start <= text.Length)
        {
            if (_first is null || MayBeginAt(text, start))
                end = matcher.Match(start);
            if (end >= 0 || matcher.Exhausted || start == text.Length)
                break;
            start += TextRewriter.CharacterLength(text, start);
        }
        s_stack = matcher.Stack;
        if (matcher.Exhausted)
            throw new TokenizerException("the tokenizer", $"the regular expression \"{_source}\" takes too long on a text of {text.Length} characters");
        return end >= 0;
    }

    private bool MayBeginAt(ReadOnlySpan<char> text, int at)
    {
        if (at >= text.Length)
            return false;
        System.Text.Rune.DecodeFromUtf16(text[at..], out System.Text.Rune rune, out _);
        return _first!.Contains(rune.Value);
    }

    /// <summary>The characters that a match can begin with; null where it can be empty or begins with a condition.</summary>
    private static CharacterSet? FirstCharacters(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.One one:
                return one.Set;
            case PatternNode.Atomic atomic:
                return FirstCharacters(atomic.Body);
            case PatternNode.Repeat { Minimum: > 0 } repeat:
                return FirstCharacters(repeat.Body);
            case PatternNode.Chain { Parts.Count: > 0 } chain:
                return FirstCharacters(chain.Parts[0]);
            case PatternNode.Choice choice:
                CharacterSet all = new();
                foreach (PatternNode option in choice.Options)
                {
                    if (FirstCharacters(option) is not { } first)
                        return null;
                    all.Add(first);
                }
                return all;
            default:
                return null;
        }
    }
}
