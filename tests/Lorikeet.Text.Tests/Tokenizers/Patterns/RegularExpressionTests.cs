namespace Lorikeet.Text.Tests;

public sealed class RegularExpressionTests
{
    [Theory]
    [InlineData("a|ab", "abab", "a|a")]
    [InlineData("(?:ab|a)b?", "aabab", "a|ab|ab")]
    [InlineData("a{2}", "aaaaa", "aa|aa")]
    [InlineData("a{2,}", "aaaaa", "aaaaa")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{1,2}?", "aaa", "a|a|a")]
    [InlineData("a{x", "a{x", "a{x")]
    [InlineData("[ab]+?c", "abac", "abac")]
    [InlineData("a++a", "aaa", "")]
    [InlineData("(?>a+)b", "aab", "aab")]
    [InlineData("x(?:ab|a)*+b", "xabab", "")]
    [InlineData("[^\\s\\p{L}]+", "ab12 !?", "12|!?")]
    [InlineData("\\p{Lu}\\p{Ll}+", "Hello wOrld Ñandú", "Hello|Orld|Ñandú")]
    [InlineData("\\p{Han}+", "日本 と 漢字", "日本|漢字")]
    [InlineData("\\P{L}", "a1", "1")]
    [InlineData("\\p{^L}", "a1", "1")]
    [InlineData("[\\p{L}&&[^a-m]]+", "alphazulu", "p|zu|u")]
    [InlineData("[a-c[x-z]]+", "abxyq", "abxy")]
    [InlineData("[[:digit:][:space:]]+", "a1 2b", "1 2")]
    [InlineData("[^[:alpha:]]+", "a1 2b", "1 2")]
    [InlineData("[\\]\\-a]+", "]-ab", "]-a")]
    [InlineData("[]a]+", "]a", "]a")]
    [InlineData("[a-]+", "a-b", "a-")]
    [InlineData("\\x41\\u0042\\x{1F600}", "AB😀", "AB😀")]
    [InlineData(".", "😀\n", "😀")]
    [InlineData("(?m:.)", "\n", "\n")]
    [InlineData("(?i)straße|k", "STRAßE K \u212A", "STRAßE|K|\u212A")]
    [InlineData("(?i:'s)x", "'Sx 'ſx 'sX", "'Sx|'ſx")]
    [InlineData("a(?i)b|c", "aB C", "aB")]
    [InlineData("a(?=b)", "abac", "a")]
    [InlineData("a(?!b)", "abac", "a")]
    [InlineData("(?<=a)b", "abcb", "b")]
    [InlineData("(?<!a)b", "abcb", "b")]
    [InlineData("(?<=😀|x)b", "😀b b xb", "b|b")]
    [InlineData("^b", "ab\nb", "b")]
    [InlineData("a$", "a\nba", "a|a")]
    [InlineData("\\Aa|a\\z", "aba", "a|a")]
    [InlineData("\\bcat\\b", "cat concat cat", "cat|cat")]
    [InlineData("(?<word>a)(?P<two>b)", "ab", "ab")]
    [InlineData("a(?#a comment)b", "ab", "ab")]
    [InlineData("(?x) a b # and so on", "ab", "ab")]
    [InlineData("(?:a*)*b", "aaab", "aaab")]
    [InlineData("(?:|a)+b", "aab", "aab")]
    [InlineData("\\d{1,3}(?=(?:\\d{3})*\\b)", "1234567", "1|234|567")]
    [InlineData("\\h+", "xAf09g", "Af09")]
    public void Finds_what_oniguruma_finds(string expression, string text, string expected) => Matches(expression, text).ShouldBe(expected);

    [Theory]
    [InlineData("(a", "opening parenthesis")]
    [InlineData("a)", "closing parenthesis")]
    [InlineData("[a", "[ without ]")]
    [InlineData("*a", "repetition of nothing")]
    [InlineData("a{5000}", "more than 1000 times")]
    [InlineData("a{3,2}", "maximum is less")]
    [InlineData("\\p{Klingon}", "\"Klingon\" is unknown")]
    [InlineData("[[:nothing:]]", "[:nothing:]")]
    [InlineData("(a)\\1", "\\1 is not supported")]
    [InlineData("(?<=a+)b", "look behind")]
    [InlineData("[z-a]", "backwards")]
    [InlineData("\\x{110000}", "no character")]
    [InlineData("a\\", "backslash at the end")]
    [InlineData("(?~a)", "unknown kind of group")]
    [InlineData("(((a{1000}){1000}){1000}){1000}", "steps")]
    public void A_broken_expression_says_what_is_wrong(string expression, string message) =>
        Should.Throw<PatternException>(() => new RegularExpression(expression)).Message.ShouldContain(message);

    [Fact]
    public void Nesting_is_limited() =>
        Should.Throw<PatternException>(() => new RegularExpression(new string('(', 5000) + new string(')', 5000))).Message.ShouldContain("deep");

    [Fact]
    public void An_expression_that_explodes_is_stopped()
    {
        RegularExpression expression = new("(?:a|a)*(?:a|a)*(?:a|aa)*b");
        TokenizerException exception = Should.Throw<TokenizerException>(() => expression.Find(new string('a', 500), 0, out _, out _));
        exception.Message.ShouldContain("takes too long");
    }

    [Fact]
    public void Long_runs_cost_no_stack()
    {
        string text = new string('a', 200_000) + "b";
        Matches("(?:a|b)+", text).Length.ShouldBe(text.Length);
        Matches("\\s+(?!\\S)|\\s+", new string(' ', 200_000) + "x").Length.ShouldBe(200_001);
    }

    [Fact]
    public void Random_expressions_either_parse_or_are_refused()
    {
        Random random = new(5);
        string[] parts = ["a", "b", "(", ")", "(?:", "(?=", "(?<!", "[", "]", "[^", "-", "&&", "*", "+", "?", "{2}", "{1,", "}", "|", "\\p{L}", "\\s", "\\", "^", "$", ".", "(?i)", "(?i:", "\\b", "é", "😀"];
        string text = TestTokenizers.RandomText(random, 60);
        for (int i = 0; i < 4000; i++)
        {
            string expression = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => parts[random.Next(parts.Length)]));
            try
            {
                new RegularExpression(expression).Find(text, 0, out int start, out int end);
                end.ShouldBeLessThanOrEqualTo(text.Length);
            }
            catch (Exception e) when (e is PatternException or TokenizerException)
            {
            }
        }
    }

    internal static string Matches(string expression, string text)
    {
        PatternMatches matches = new(new RegularExpression(expression));
        List<string> found = [];
        while (matches.Next(text, out int start, out int end))
            found.Add(text[start..end]);
        return string.Join('|', found);
    }
}
