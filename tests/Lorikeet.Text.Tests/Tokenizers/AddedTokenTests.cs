namespace Lorikeet.Text.Tests;

public sealed class AddedTokenTests
{
    [Fact]
    public void The_longest_of_those_that_begin_first_is_taken()
    {
        Tokenizer tokenizer = With("""{"id":10,"content":"<a>","special":true},{"id":11,"content":"<a><b>","special":true},{"id":12,"content":"<b>c","special":true}""");
        Show(tokenizer, "x<a><b>c<a>").ShouldBe("x@0-1 <a><b>@1-7 c@7-8 <a>@8-11");
        Show(tokenizer, "<a").ShouldBe("<@0-1 a@1-2");
    }

    [Fact]
    public void They_swallow_blanks_where_told_so()
    {
        Tokenizer tokenizer = With("""{"id":10,"content":"<l>","lstrip":true,"special":true},{"id":11,"content":"<r>","rstrip":true,"special":true}""");
        Show(tokenizer, "a  <l> b").ShouldBe("a@0-1 \"  <l>\"@1-6 b@7-8");
        Show(tokenizer, "a <r> \n b").ShouldBe("a@0-1 \"<r> \\n \"@2-8 b@8-9");
        // blanks that the one before has taken are not taken twice
        Show(tokenizer, "<r>  <l>").ShouldBe("\"<r>  \"@0-5 <l>@5-8");
    }

    [Fact]
    public void A_single_word_touches_no_word_character()
    {
        Tokenizer tokenizer = With("""{"id":10,"content":"ab","single_word":true,"special":false}""");
        Show(tokenizer, "ab xab ab! _ab é ab").ShouldBe("ab@0-2 x@3-4 a@4-5 b@5-6 ab@7-9 !@9-10 _@11-12 a@12-13 b@13-14 é@15-16 ab@17-19");
        tokenizer.IsSpecial(10).ShouldBeFalse();
    }

    [Fact]
    public void Normalised_ones_are_found_in_the_normalised_text_and_others_in_the_original()
    {
        string added = """{"id":10,"content":"DAY","normalized":true,"special":false},{"id":11,"content":"[X]","normalized":false,"special":true}""";
        Tokenizer tokenizer = With(added, """,{"type":"Lowercase"}""");
        Show(tokenizer, "a Day[X]").ShouldBe("a@0-1 \"day\"@2-5 [X]@5-8");
        Show(tokenizer, "[x]").ShouldBe("[@0-1 x@1-2 ]@2-3");
        // the text before and after each special token is normalised by itself
        Show(With(added, """,{"type":"Prepend","prepend":"_"}"""), "a[X]a").ShouldBe("_@0-1 a@0-1 [X]@1-4 _@4-5 a@4-5");
    }

    [Fact]
    public void Special_ones_can_be_left_out_when_decoding()
    {
        Tokenizer tokenizer = With("""{"id":10,"content":"<s>","special":true},{"id":11,"content":"<u>","special":false}""");
        int[] ids = tokenizer.EncodeIds("<s>a<u>");
        tokenizer.Decode(ids).ShouldBe("<s> a <u>");
        tokenizer.Decode(ids, skipSpecial: true).ShouldBe("a <u>");
        tokenizer.VocabularySize.ShouldBe(16);
    }

    private static Tokenizer With(string added, string normalizers = "") => TestTokenizers.Json($$"""
        {"added_tokens":[{{added}}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"}{{normalizers}}]},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"FixedLength","length":1}]},
         "model":{"type":"WordLevel","unk_token":"?","vocab":{{TestTokenizers.Vocabulary(["?", "a", "b", "c", "x", "é", "!", "_", "<", "[", "r", "l", "d", "y", "]", ">"])}} } }
        """);

    private static string Show(Tokenizer tokenizer, string text)
    {
        TokenizedText found = tokenizer.Encode(text);
        return string.Join(' ', found.Tokens.Select((t, i) =>
            $"{(tokenizer.IdOf(t) == found.Ids[i] ? t : System.Text.Json.JsonSerializer.Serialize(t).Replace("\\u003C", "<").Replace("\\u003E", ">"))}@{found.Offsets[i].Start}-{found.Offsets[i].End}"));
    }
}
