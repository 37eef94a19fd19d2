namespace Lorikeet.Text.Tests;

public sealed class WordPatternsTests
{
    public static TheoryData<string> KnownExpressions() => [Gpt2WordPattern.Source, .. ((int[])[1, 2, 3]).SelectMany(Cl100kWordPattern.SourcesFor)];

    [Theory]
    [MemberData(nameof(KnownExpressions))]
    public void Scanners_find_what_their_expression_finds(string expression)
    {
        TextPattern scanner = WordPatterns.For(expression);
        scanner.ShouldNotBeOfType<RegularExpression>();
        RegularExpression engine = new(expression);
        Random random = new(1);
        for (int i = 0; i < 1500; i++)
        {
            string text = TestTokenizers.RandomText(random, 1 + i % 60);
            int from = 0;
            while (from < text.Length)
            {
                scanner.Find(text, from, out int start, out int end).ShouldBeTrue();
                engine.Find(text, from, out int expectedStart, out int expectedEnd).ShouldBeTrue();
                (start, end).ShouldBe((expectedStart, expectedEnd), $"in {System.Text.Json.JsonSerializer.Serialize(text)} from {from}");
                from = end;
            }
        }
    }

    [Fact]
    public void Every_pattern_of_gguf_files_can_be_read()
    {
        foreach (string name in GgufWordPatterns.Names)
            foreach (string expression in GgufWordPatterns.Find(name)!.Expressions)
                WordPatterns.For(expression).Find("Hello 123 wörld\n 你好", 0, out _, out _);
        GgufWordPatterns.Find("smollm")!.Expressions.ShouldBe([@"\p{N}", Gpt2WordPattern.Source]);
        GgufWordPatterns.Find("no such name").ShouldBeNull();
    }
}
