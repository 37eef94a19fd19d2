namespace Lorikeet.Text.Tests;

public sealed class ModelTests
{
    [Fact]
    public void Bpe_marks_the_parts_and_the_end_of_words()
    {
        Tokenizer tokenizer = TestTokenizers.Json("""
            {"pre_tokenizer":{"type":"Whitespace"},
             "model":{"type":"BPE","continuing_subword_prefix":"##","end_of_word_suffix":"$",
              "vocab":{"a":0,"##b":1,"##c$":2,"ab":3,"abc$":4,"a$":5},"merges":["a ##b",["ab","##c$"]]}}
            """);
        tokenizer.Encode("abc a ab").Tokens.ShouldBe(["abc$", "a$", "a"]);
    }

    [Theory]
    [InlineData(false, "?@0-1 ?@1-2 a@2-3 ?@3-5")]
    [InlineData(true, "?@0-2 a@2-3 ?@3-5")]
    public void Bpe_names_unknown_characters_one_by_one_or_in_runs(bool fuse, string expected)
    {
        string flag = fuse ? "true" : "false";
        Tokenizer tokenizer = TestTokenizers.Json($$"""{"model":{"type":"BPE","unk_token":"?","fuse_unk":{{flag}},"vocab":{"?":0,"a":1},"merges":[]} }""");
        Show(tokenizer, "xya😀").ShouldBe(expected);
    }

    [Fact]
    public void Bpe_spells_unknown_characters_by_bytes_where_it_can()
    {
        Tokenizer tokenizer = TestTokenizers.Json("""
            {"model":{"type":"BPE","unk_token":"?","byte_fallback":true,"vocab":{"?":0,"a":1,"<0xC3>":2,"<0xA9>":3},"merges":[]}}
            """);
        Show(tokenizer, "aéß").ShouldBe("a@0-1 <0xC3>@1-2 <0xA9>@1-2 ?@2-3");
    }

    [Fact]
    public void Bpe_drops_unknown_characters_where_no_token_stands_for_them() =>
        TestTokenizers.Json("""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}""").Encode("axb").Tokens.ShouldBe(["a", "b"]);

    [Fact]
    public void Bpe_takes_whole_words_without_merging_where_told_so()
    {
        const string Model = """{"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE","ignore_merges":IGNORE,"vocab":VOCABULARY,"merges":[]}}""";
        string vocabulary = TestTokenizers.Vocabulary([.. Enumerable.Range(0, 256).Select(b => ByteAlphabet.CharacterOf((byte)b).ToString()), "abc", "ĠÃ©"]);
        TestTokenizers.Json(Model.Replace("IGNORE", "true").Replace("VOCABULARY", vocabulary)).EncodeIds("abc é").ShouldBe([256, 257]);
        TestTokenizers.Json(Model.Replace("IGNORE", "false").Replace("VOCABULARY", vocabulary)).EncodeIds("abc é").Length.ShouldBe(6);
    }

    [Fact]
    public void Cutting_where_no_token_crosses_changes_nothing()
    {
        string[] tokens = ["▁", "a", "b", "c", ",", ".", "ab", "▁a", "▁ab", "bc", ",.", "▁▁", "cc"];
        const string Merges = """["a b","▁ a","▁a b","b c",", .","▁ ▁","c c"]""";
        Tokenizer cutting = TestTokenizers.Json($$"""{"model":{"type":"BPE","vocab":{{TestTokenizers.Vocabulary(tokens)}},"merges":{{Merges}} } }""");
        // a token in which all characters stand side by side forbids every cut, and cannot be merged
        IEnumerable<string> all = tokens.Append(string.Concat("▁abc,.".SelectMany(a => "▁abc,.".Select(b => $"{a}{b}"))));
        Tokenizer whole = TestTokenizers.Json($$"""{"model":{"type":"BPE","vocab":{{TestTokenizers.Vocabulary(all)}},"merges":{{Merges}} } }""");
        Random random = new(4);
        for (int i = 0; i < 500; i++)
        {
            string text = string.Concat(Enumerable.Range(0, 1 + i % 60).Select(_ => "▁abc,."[random.Next(6)]));
            Show(cutting, text).ShouldBe(Show(whole, text));
        }
    }

    [Fact]
    public void Word_piece_takes_the_longest_part_or_gives_the_word_up()
    {
        Tokenizer tokenizer = TestTokenizers.Json("""
            {"pre_tokenizer":{"type":"WhitespaceSplit"},
             "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":6,
              "vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"##a":4,"unaf":5,"a":6}}}
            """);
        Show(tokenizer, "unaff unaffx aaaaaaa a").ShouldBe("[UNK]@0-5 [UNK]@6-12 [UNK]@13-20 a@21-22");
        Show(tokenizer, "unable").ShouldBe("un@0-2 ##able@2-6");
    }

    [Fact]
    public void Unigram_finds_the_most_probable_cut_and_fuses_what_it_does_not_know()
    {
        Tokenizer tokenizer = TestTokenizers.Json("""
            {"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["b",-1],["ab",-3],["abc",-2.5],["c",-1.2]]}}
            """);
        Show(tokenizer, "ab").ShouldBe("a@0-1 b@1-2");
        Show(tokenizer, "abc").ShouldBe("abc@0-3");
        TokenizedText unknown = tokenizer.Encode("axyb");
        unknown.Ids.ShouldBe([1, 0, 2]);
        unknown.Tokens.ShouldBe(["a", "xy", "b"]);
        unknown.Offsets[1].ShouldBe((1, 3));
    }

    [Fact]
    public void Unigram_spells_unknown_runs_by_bytes_where_it_can()
    {
        Tokenizer tokenizer = TestTokenizers.Json("""
            {"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],["a",-1],["<0xC3>",-2],["<0xA9>",-2]]}}
            """);
        Show(tokenizer, "aéa").ShouldBe("a@0-1 <0xC3>@1-2 <0xA9>@1-2 a@2-3");
        Show(tokenizer, "ß").ShouldBe("ß@0-1");
    }

    [Fact]
    public void A_model_without_unknown_token_says_what_it_cannot_spell()
    {
        Tokenizer words = TestTokenizers.Json("""{"model":{"type":"WordLevel","vocab":{"a":0}}}""");
        Should.Throw<TokenizerException>(() => words.Encode("b")).Message.ShouldContain("\"b\" is no token");
        Tokenizer unigram = TestTokenizers.Json("""{"model":{"type":"Unigram","vocab":[["a",-1]]}}""");
        Should.Throw<TokenizerException>(() => unigram.Encode("b")).Message.ShouldContain("no unknown token");
    }

    private static string Show(Tokenizer tokenizer, string text)
    {
        TokenizedText found = tokenizer.Encode(text);
        return string.Join(' ', found.Tokens.Select((t, i) => $"{t}@{found.Offsets[i].Start}-{found.Offsets[i].End}"));
    }
}
