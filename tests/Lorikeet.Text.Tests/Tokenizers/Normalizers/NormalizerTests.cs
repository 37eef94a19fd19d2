namespace Lorikeet.Text.Tests;

public sealed class NormalizerTests
{
    [Theory]
    [InlineData("NFC", "e\u0301 \u1100\u1161\u11A8 \u212B", "é \uAC01 \u00C5")]
    [InlineData("NFD", "é 각 \u212B", "e\u0301 \u1100\u1161\u11A8 A\u030A")]
    [InlineData("NFKC", "ﬁ ① ｶﾞ e\u0301", "fi 1 ガ é")]
    [InlineData("NFKD", "ﬁ ½ é", "fi 1\u20442 e\u0301")]
    [InlineData("Lowercase", "ÀİΣ𐐀ß", "ài\u0307σ𐐨ß")]
    [InlineData("StripAccents", "e\u0301a\u0323\u0308", "ea")]
    [InlineData("Nmt", "a\u0001b\tc\u200Bd\uFEFFe\u2028f▁g", "ab c d e f g")]
    [InlineData("ByteLevel", "é \n", "Ã©ĠĊ")]
    public void Each_kind_rewrites_as_it_should(string kind, string text, string expected) =>
        TestTokenizers.Normalized($$"""{"type":"{{kind}}"}""", text).Text.ShouldBe(expected);

    [Fact]
    public void Composition_leaves_what_unicode_excludes_and_orders_marks_by_class()
    {
        // the Devanagari qa is never composed; the dot below (220) sorts before the acute (230)
        TestTokenizers.Normalized("""{"type":"NFC"}""", "\u0915\u093C").Text.ShouldBe("\u0915\u093C");
        TestTokenizers.Normalized("""{"type":"NFC"}""", "\u0958").Text.ShouldBe("\u0915\u093C");
        TestTokenizers.Normalized("""{"type":"NFD"}""", "a\u0301\u0323").Text.ShouldBe("a\u0323\u0301");
        TestTokenizers.Normalized("""{"type":"NFC"}""", "a\u0301\u0323").Text.ShouldBe("\u1EA1\u0301");
        // an unrelated mark of the same class blocks
        TestTokenizers.Normalized("""{"type":"NFC"}""", "a\u0302\u0301\u0327").Text.ShouldBe("\u1EA5\u0327");
        TestTokenizers.Normalized("""{"type":"NFC"}""", "\u0301a").Text.ShouldBe("\u0301a");
    }

    [Fact]
    public void Unicode_forms_are_stable_and_agree_with_each_other()
    {
        Random random = new(11);
        for (int i = 0; i < 300; i++)
        {
            string text = TestTokenizers.RandomText(random, 1 + i % 40);
            string Form(string form, string of) => TestTokenizers.Normalized($$"""{"type":"{{form}}"}""", of).Text;
            foreach (string form in (string[])["NFC", "NFD", "NFKC", "NFKD"])
                Form(form, Form(form, text)).ShouldBe(Form(form, text));
            Form("NFC", Form("NFD", text)).ShouldBe(Form("NFC", text));
            Form("NFD", Form("NFC", text)).ShouldBe(Form("NFD", text));
            Form("NFKC", Form("NFKD", text)).ShouldBe(Form("NFKC", text));
            Form("NFKD", Form("NFC", text)).ShouldBe(Form("NFKD", text));
        }
    }

    [Fact]
    public void Every_unit_keeps_a_place_in_the_original()
    {
        Random random = new(12);
        string[] kinds =
        [
            """{"type":"NFC"}""", """{"type":"NFKD"}""", """{"type":"Lowercase"}""", """{"type":"BertNormalizer"}""", """{"type":"ByteLevel"}""",
            """{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"StripAccents"},{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":"▁"}]}""",
        ];
        for (int i = 0; i < 200; i++)
        {
            string text = TestTokenizers.RandomText(random, 1 + i % 30);
            foreach (string kind in kinds)
            {
                int last = 0;
                foreach ((int start, int end) in TestTokenizers.Normalized(kind, text).Places)
                {
                    start.ShouldBeInRange(last, text.Length);
                    end.ShouldBeInRange(start, text.Length);
                    (end < text.Length && char.IsLowSurrogate(text[end]) && end > 0 && char.IsHighSurrogate(text[end - 1])).ShouldBeFalse();
                    last = start;
                }
            }
        }
    }

    [Fact]
    public void Composed_characters_take_the_place_of_the_first_part_and_decomposed_ones_share_it()
    {
        TestTokenizers.Normalized("""{"type":"NFC"}""", "xe\u0301y").Places.ShouldBe([(0, 1), (1, 2), (3, 4)]);
        TestTokenizers.Normalized("""{"type":"NFD"}""", "xéy").Places.ShouldBe([(0, 1), (1, 2), (1, 2), (2, 3)]);
        TestTokenizers.Normalized("""{"type":"ByteLevel"}""", "😀a").Places.ShouldBe([(0, 2), (0, 2), (0, 2), (0, 2), (2, 3)]);
    }

    [Fact]
    public void Strip_drops_blanks_at_the_ends_that_it_is_told_to()
    {
        TestTokenizers.Normalized("""{"type":"Strip","strip_left":true,"strip_right":true}""", " \ta b\n").ShouldSatisfyAllConditions(
            n => n.Text.ShouldBe("a b"), n => n.Places.ShouldBe([(2, 3), (3, 4), (4, 5)]));
        TestTokenizers.Normalized("""{"type":"Strip","strip_left":false,"strip_right":true}""", " a ").Text.ShouldBe(" a");
        TestTokenizers.Normalized("""{"type":"Strip","strip_left":true,"strip_right":true}""", "   ").Text.ShouldBe("");
    }

    [Fact]
    public void Prepended_text_shares_the_place_of_the_first_character()
    {
        TestTokenizers.Normalized("""{"type":"Prepend","prepend":"▁"}""", "😀a").ShouldSatisfyAllConditions(
            n => n.Text.ShouldBe("▁😀a"), n => n.Places.ShouldBe([(0, 2), (0, 2), (0, 2), (2, 3)]));
        TestTokenizers.Normalized("""{"type":"Prepend","prepend":"▁"}""", "").Text.ShouldBe("");
    }

    [Fact]
    public void Replaced_text_takes_the_place_of_the_last_character_of_its_match()
    {
        TestTokenizers.Normalized("""{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁▁"}""", "a   b").ShouldSatisfyAllConditions(
            n => n.Text.ShouldBe("a▁▁b"), n => n.Places.ShouldBe([(0, 1), (3, 4), (3, 4), (4, 5)]));
        TestTokenizers.Normalized("""{"type":"Replace","pattern":{"String":"''"},"content":""}""", "a''b''").Text.ShouldBe("ab");
        TestTokenizers.Normalized("""{"type":"Replace","pattern":{"String":""},"content":"x"}""", "ab").Text.ShouldBe("ab");
    }

    [Fact]
    public void Bert_cleans_separates_chinese_drops_accents_and_lowers()
    {
        TestTokenizers.Normalized("""{"type":"BertNormalizer"}""", "A\u0000É\u2003中\u200D!").Text.ShouldBe("ae  中 !");
        TestTokenizers.Normalized("""{"type":"BertNormalizer","lowercase":false}""", "É").Text.ShouldBe("É");
        TestTokenizers.Normalized("""{"type":"BertNormalizer","lowercase":false,"strip_accents":true}""", "É").Text.ShouldBe("E");
        TestTokenizers.Normalized("""{"type":"BertNormalizer","handle_chinese_chars":false,"clean_text":false}""", "中\t").Text.ShouldBe("中\t");
    }
}
