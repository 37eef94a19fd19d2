namespace Lorikeet.Text.Tests;

public sealed class PreTokenizerTests
{
    [Theory]
    [InlineData("Isolated", "a|-|-|b|c|-")]
    [InlineData("Removed", "a|b|c")]
    [InlineData("MergedWithPrevious", "a-|-|bc-")]
    [InlineData("MergedWithNext", "a|-|-bc|-")]
    [InlineData("Contiguous", "a|--|bc|-")]
    public void Split_treats_matches_as_its_behaviour_says(string behavior, string expected)
    {
        string pieces = string.Join('|', TestTokenizers.Pieces(
            $$"""{"type":"Split","pattern":{"String":"-"},"behavior":"{{behavior}}","invert":false}""", "a--bc-").Select(p => p.Piece));
        pieces.ShouldBe(behavior is "Isolated" or "Removed" ? expected.Replace("b|c", "bc") : expected);
    }

    [Fact]
    public void Split_can_be_inverted_and_takes_expressions()
    {
        Texts("""{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Removed","invert":true}""", "ab, c!").ShouldBe(["ab", "c"]);
        Texts("""{"type":"Split","pattern":{"Regex":"(?=b)"},"behavior":"Isolated","invert":false}""", "abab").ShouldBe(["a", "ba", "b"]);
    }

    [Theory]
    [InlineData("""{"type":"Whitespace"}""", "Hey man! 3€", "Hey|man|!|3|€")]
    [InlineData("""{"type":"WhitespaceSplit"}""", " Hey\u2003man!\n", "Hey|man!")]
    [InlineData("""{"type":"BertPreTokenizer"}""", "it's 5$ … ok", "it|'|s|5|$|…|ok")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "a12½𝟘b", "a|1|2|½|𝟘|b")]
    [InlineData("""{"type":"Digits","individual_digits":false}""", "a12½b3", "a|12½|b|3")]
    [InlineData("""{"type":"Punctuation"}""", "hi?!a", "hi|?|!|a")]
    [InlineData("""{"type":"Punctuation","behavior":"Contiguous"}""", "hi?!a", "hi|?!|a")]
    [InlineData("""{"type":"CharDelimiterSplit","delimiter":"-"}""", "a--b-", "a|b")]
    [InlineData("""{"type":"FixedLength","length":2}""", "a😀bcd", "a😀|bc|d")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""", "a  b", "▁a|▁|▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":true}""", "a b", "a|▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}""", "a b", "▁a▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","add_prefix_space":false}""", "a b", "a|▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","add_prefix_space":true}""", " a", "▁a")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true}""", "it's é", "Ġit|'s|ĠÃ©")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""", "a b\n", "aĠbĊ")]
    [InlineData("""{"type":"UnicodeScripts"}""", "どこで生れ。Yes", "どこで生れ|。|Yes")]
    [InlineData("""{"type":"UnicodeScripts"}""", "Apples are りんご 林檎", "Apples are |りんご 林檎")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Digits","individual_digits":true}]}""", "a1 b22", "a|1|b|2|2")]
    public void Each_kind_cuts_as_it_should(string kind, string text, string expected) =>
        string.Join('|', Texts(kind, text)).ShouldBe(expected);

    [Fact]
    public void Pieces_know_where_they_came_from()
    {
        TestTokenizers.Pieces("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "é 😀").ShouldBe([("▁é", 0, 1), ("▁😀", 1, 4)]);
        TestTokenizers.Pieces("""{"type":"ByteLevel","add_prefix_space":true}""", "é a").ShouldBe([("ĠÃ©", 0, 1), ("Ġa", 1, 3)]);
        TestTokenizers.Pieces("""{"type":"WhitespaceSplit"}""", "É  b", """{"type":"NFD"}""").ShouldBe([("E\u0301", 0, 1), ("b", 3, 4)]);
    }

    [Fact]
    public void Metaspace_marks_only_the_piece_that_begins_the_text_when_told_so() =>
        Texts("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}]}""", "a b")
            .ShouldBe(["▁a", "b"]);

    [Fact]
    public void Cutting_loses_nothing()
    {
        Random random = new(3);
        string[] kinds =
        [
            """{"type":"ByteLevel","add_prefix_space":false}""", """{"type":"Digits","individual_digits":false}""", """{"type":"Punctuation"}""",
            """{"type":"FixedLength","length":3}""", """{"type":"Split","pattern":{"Regex":"\\p{L}+"},"behavior":"MergedWithNext","invert":false}""",
        ];
        for (int i = 0; i < 200; i++)
        {
            string text = TestTokenizers.RandomText(random, 1 + i % 50);
            foreach (string kind in kinds)
            {
                (string Piece, int Start, int End)[] pieces = TestTokenizers.Pieces(kind, text);
                pieces[0].Start.ShouldBe(0);
                pieces[^1].End.ShouldBe(text.Length);
                for (int p = 1; p < pieces.Length; p++)
                    pieces[p].Start.ShouldBe(pieces[p - 1].End);
            }
        }
    }

    private static string[] Texts(string kind, string text) => [.. TestTokenizers.Pieces(kind, text).Select(p => p.Piece)];
}
