namespace Lorikeet.Text.Tests;

public sealed class TokenizerLoaderTests
{
    private const string TinyJson = """{"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"a":1}}}""";
    private static readonly (string, float, int)[] Letters = [("▁", -1, 1), ("a", -2, 1), ("b", -3, 1), ("▁a", -4, 1), ("<x>", 0, 4)];

    [Fact]
    public void A_folder_without_a_tokenizer_says_what_it_looked_for()
    {
        using ModelFolder folder = new(("config.json", "{}"));
        Message(folder.Path).ShouldContain("expected tokenizer.json, tokenizer.model");
        Message(Path.Combine(folder.Path, "nowhere")).ShouldContain("no such file or folder");
    }

    [Fact]
    public void The_json_form_comes_first_and_the_files_beside_it_name_special_tokens()
    {
        using ModelFolder folder = new(
            ("tokenizer.json", TinyJson), ("vocab.txt", "x"),
            ("tokenizer_config.json", """
                {"bos_token":{"content":"<b>"},"eos_token":"a","pad_token":null,
                 "added_tokens_decoder":{"7":{"content":"<b>","special":true},"8":{"content":"<w>","lstrip":true,"special":false}}}
                """));
        Tokenizer tokenizer = Tokenizer.Load(folder.Path);
        tokenizer.BosId.ShouldBe(7);
        tokenizer.EosId.ShouldBe(1);
        tokenizer.PadToken.ShouldBeNull();
        tokenizer.Encode("<b>a <w>").Ids.ShouldBe([7, 1, 8]);
        tokenizer.IsSpecial(8).ShouldBeFalse();
        tokenizer.VocabularySize.ShouldBe(9);
    }

    [Fact]
    public void Vocabulary_and_merges_need_each_other()
    {
        using ModelFolder alone = new(("vocab.json", """{"a":0}"""));
        Message(alone.Path).ShouldContain("no merges.txt");
        using ModelFolder merges = new(("merges.txt", ""));
        Message(merges.Path).ShouldContain("no vocab.json");
    }

    [Fact]
    public void Vocabulary_and_merges_cut_words_as_their_class_does()
    {
        string[] alphabet = [.. Enumerable.Range(0, 256).Select(b => ByteAlphabet.CharacterOf((byte)b).ToString())];
        string vocabulary = TestTokenizers.Vocabulary([.. alphabet, "12", "<|endoftext|>"]);
        (string, string)[] files = [("vocab.json", vocabulary), ("merges.txt", "#version: 0.2\n1 2\n")];
        using ModelFolder gpt2 = new(files);
        Tokenizer.Load(gpt2.Path).Encode("12<|endoftext|>").Tokens.ShouldBe(["12", "<|endoftext|>"]);
        using ModelFolder qwen2 = new([.. files, ("tokenizer_config.json", """{"tokenizer_class":"Qwen2Tokenizer"}""")]);
        Tokenizer.Load(qwen2.Path).Encode("12").Tokens.ShouldBe(["1", "2"]);
        using ModelFolder unknown = new([.. files, ("tokenizer_config.json", """{"tokenizer_class":"WhisperTokenizer"}""")]);
        Message(unknown.Path).ShouldContain("WhisperTokenizer");
        using ModelFolder broken = new(("vocab.json", """{"a":0,"b":1}"""), ("merges.txt", "#version: 0.2\na b\nab\n\na x\n"));
        TokenizerException exception = Should.Throw<TokenizerException>(() => Tokenizer.Load(broken.Path));
        exception.Problems.ShouldBe([
            "line 2: \"a\" and \"b\" merge into \"ab\", which is not in the vocabulary",
            "line 3: expected two tokens with one blank between them, found \"ab\"",
            "line 5: the merge speaks of \"x\", which is not in the vocabulary",
        ]);
    }

    [Fact]
    public void A_word_piece_vocabulary_needs_its_special_tokens()
    {
        using ModelFolder folder = new(("vocab.txt", "[UNK]\nhello\n"));
        TokenizerException exception = Should.Throw<TokenizerException>(() => Tokenizer.Load(folder.Path));
        exception.Problems.Count.ShouldBe(2);
        exception.Problems[0].ShouldContain("[CLS]");
        using ModelFolder cased = new(
            ("vocab.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nHi\r\nhi\r\n"), ("tokenizer_config.json", """{"do_lower_case":false}"""));
        Tokenizer.Load(cased.Path).Encode("Hi hi").Ids.ShouldBe([2, 4, 5, 3]);
    }

    [Fact]
    public void A_sentencepiece_file_alone_takes_special_tokens_as_text()
    {
        using ModelFolder folder = new();
        folder.Add("tokenizer.model", SentencePieceBytes.Bpe([("▁", -1, 1), ("s", -2, 1), ("<", -3, 1), (">", -4, 1)]));
        Tokenizer.Load(folder.Path).Encode("<s>").Tokens.ShouldBe(["<s>", "▁", "<", "s", ">"]);
    }

    [Fact]
    public void A_sentencepiece_file_with_settings_finds_special_tokens()
    {
        using ModelFolder folder = new(("tokenizer_config.json", """
            {"tokenizer_class":"LlamaTokenizer","add_bos_token":true,"add_eos_token":true,"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>",
             "pad_token":"<pad>","additional_special_tokens":["<|im|>"],"legacy":true}
            """));
        folder.Add("tokenizer.model", SentencePieceBytes.Bpe(Letters));
        Tokenizer tokenizer = Tokenizer.Load(folder.Path);
        // an older tokenizer puts a blank before every stretch, also behind a special token
        tokenizer.Encode("a</s>a<x>b").Tokens.ShouldBe(["<s>", "▁a", "</s>", "▁a", "<x>", "▁", "b", "</s>"]);
        tokenizer.Encode("a<|im|>").Tokens.ShouldBe(["<s>", "▁a", "<|im|>", "</s>"]);
        tokenizer.Encode("a<|im|>").Offsets.ShouldBe([(0, 0), (0, 1), (1, 7), (0, 0)]);
        tokenizer.PadId.ShouldNotBeNull();
        tokenizer.PadId!.Value.ShouldBeGreaterThanOrEqualTo(8);
        tokenizer.Decode(tokenizer.EncodeIds("a b"), skipSpecial: true).ShouldBe("a b");
    }

    [Fact]
    public void A_newer_sentencepiece_tokenizer_puts_a_blank_only_at_the_begin()
    {
        using ModelFolder folder = new(("tokenizer_config.json", """{"legacy":false,"add_bos_token":false}"""));
        folder.Add("tokenizer.model", SentencePieceBytes.Bpe(Letters));
        Tokenizer.Load(folder.Path).Encode("a</s>a").Tokens.ShouldBe(["▁a", "</s>", "a"]);
    }

    [Fact]
    public void Added_tokens_json_gives_numbers_beyond_the_vocabulary()
    {
        using ModelFolder folder = new(("added_tokens.json", """{"<new>":20}"""), ("special_tokens_map.json", """{"eos_token":"<new>"}"""));
        folder.Add("tokenizer.model", SentencePieceBytes.Bpe(Letters));
        Tokenizer tokenizer = Tokenizer.Load(folder.Path);
        tokenizer.EosId.ShouldBe(20);
        tokenizer.Encode("a<new>", addSpecial: false).Ids.ShouldBe([6, 20]);
        tokenizer.VocabularySize.ShouldBe(21);
    }

    [Fact]
    public void A_gguf_file_is_sent_to_where_it_can_be_read()
    {
        using ModelFolder folder = new();
        Message(folder.Add("model.gguf", [1, 2, 3])).ShouldContain("FromGguf");
    }

    private static string Message(string path) => Should.Throw<TokenizerException>(() => Tokenizer.Load(path)).Message;
}
