using System.Text;

namespace Lorikeet.Text.Tests;

/// <summary>Whatever is wrong with a file, the answer is one exception that says all of it, and where.</summary>
public sealed class BrokenTokenizerTests
{
    [Fact]
    public void All_problems_of_a_file_are_listed_with_their_places()
    {
        TokenizerException exception = Should.Throw<TokenizerException>(() => TestTokenizers.Json("""
            {"added_tokens":[{"id":-1,"content":"x"},{"id":"2","content":3}],
             "normalizer":{"type":"Sequence","normalizers":[{"type":"NFX"},{"type":"Precompiled","precompiled_charsmap":"!"}]},
             "pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Sideways","invert":0},
             "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Nothing":1}],"special_tokens":{}},
             "decoder":{"type":"Morse"},
             "model":{"type":"BPE","unk_token":"<unk>","vocab":{"a":0,"b":1.5},"merges":["a a","ab",["a"],["a",1]]}}
            """));
        exception.Message.ShouldStartWith("test.json: ");
        foreach (string expected in (string[])
        [
            "added_tokens[0].id: expected a token number", "added_tokens[1].id: expected a whole number, found the text \"2\"",
            "added_tokens[1].content: expected text, found the number 3", "normalizer.normalizers[0].type: unknown normalizer \"NFX\"",
            "normalizer.normalizers[1].precompiled_charsmap: expected base64", "pre_tokenizer.pattern.Regex: the regular expression",
            "pre_tokenizer.behavior: expected Removed", "pre_tokenizer.invert: expected true or false, found the number 0",
            "post_processor.single[0].SpecialToken: the token \"[CLS]\" is not among special_tokens", "post_processor.single[1]: expected SpecialToken or Sequence",
            "decoder.type: unknown decoder \"Morse\"", "model.vocab.b: expected a whole number, found the number 1.5",
            "model.unk_token: the token \"<unk>\" is not in the vocabulary", "model.merges[0]: \"a\" and \"a\" merge into \"aa\", which is not in the vocabulary",
            "model.merges[1]: expected two tokens", "model.merges[2]: expected two tokens, found 1", "model.merges[3][1]: expected text",
        ])
            exception.Problems.ShouldContain(p => p.StartsWith(expected), expected);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("{\"model\":", "not valid JSON")]
    [InlineData("[]", "expected an object, found a list")]
    [InlineData("{}", "model: is missing")]
    [InlineData("""{"model":{"type":"Transducer"}}""", "model.type: unknown model \"Transducer\"")]
    [InlineData("""{"model":{"type":"BPE","merges":[]}}""", "model.vocab: is missing")]
    [InlineData("""{"model":{"type":"BPE","vocab":{}}}""", "model.merges: is missing")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a"]]}}""", "model.vocab[0]: expected a token and its score")]
    [InlineData("""{"model":{"type":"Unigram","unk_id":4,"vocab":[["a",0]]}}""", "model.unk_id: the vocabulary has 1 tokens")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{"a":0}}}""", "\"[UNK]\" is not in the vocabulary")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":999999999}}}""", "expected a token number from 0 to")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":9999999}}}""", "leave too many numbers without a token")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"pre_tokenizer":{"type":"Wrong"}}""", "unknown pre-tokenizer \"Wrong\"")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"pre_tokenizer":{"type":"Metaspace","replacement":"ab"}}""", "expected one character")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"pre_tokenizer":{"type":"FixedLength","length":0}}""", "expected at least 1")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"added_tokens":[{"id":1,"content":"\ud800"}]}""", "half a surrogate pair")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0,"\ud800":1}}}""", "line 1: holds half a surrogate pair")]
    public void A_broken_file_says_what_is_wrong(string json, string message) =>
        Should.Throw<TokenizerException>(() => TestTokenizers.Json(json)).Message.ShouldContain(message);

    [Fact]
    public void A_token_of_absurd_length_is_refused()
    {
        string token = new('a', 5000);
        foreach (string json in (string[])
        [
            $$"""{"model":{"type":"WordLevel","vocab":{"{{token}}":0} } }""",
            $$"""{"model":{"type":"Unigram","vocab":[["{{token}}",0]]} }""",
            $$"""{"model":{"type":"WordLevel","vocab":{"a":0} },"added_tokens":[{"id":1,"content":"{{token}}"}]}""",
        ])
            Should.Throw<TokenizerException>(() => TestTokenizers.Json(json)).Message.ShouldContain("at most 4096");
    }

    [Fact]
    public void A_flood_of_problems_is_cut_short()
    {
        string merges = string.Join(',', Enumerable.Repeat("\"x y\"", 5000));
        TokenizerException exception = Should.Throw<TokenizerException>(() => TestTokenizers.Json($$"""{"model":{"type":"BPE","vocab":{"a":0},"merges":[{{merges}}]} }"""));
        exception.Problems.Count.ShouldBeLessThan(30);
        exception.Problems[^1].ShouldBe("and 4980 more");
    }

    [Fact]
    public void A_sentencepiece_file_is_checked()
    {
        Model([]).ShouldContain("holds no pieces");
        Model([0x0A, 0xFF]).ShouldContain("byte ");
        Model([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]).ShouldContain("bytes, but 0 are left");
        Model(SentencePieceBytes.Model(2, [("a", 0, 1)])).ShouldContain("type 2 (unknown)");
        Model(SentencePieceBytes.Model(3, [("<unk>", 0, 2)])).ShouldContain("expected 1 (unigram) or 2 (bpe), found 3");
        Model(SentencePieceBytes.Model(1, [("<unk>", 0, 2), ("a", float.NaN, 1), ("b", 0, 9)])).ShouldSatisfyAllConditions(
            m => m.ShouldContain("pieces[1].score"), m => m.ShouldContain("pieces[2].type: expected 1 to 6, found 9"));
        byte[] fallback = [.. SentencePieceBytes.Model(2, [("<unk>", 0, 2)]), .. SentencePieceBytes.Field(2, [0x98, 0x02, 1])];
        Model(fallback).ShouldContain("256 of the 256 pieces");
        byte[] map = [.. SentencePieceBytes.Model(2, [("<unk>", 0, 2)]), .. SentencePieceBytes.Field(3, SentencePieceBytes.Field(2, [0xFF, 0xFF, 0xFF, 0x7F, 1]))];
        Model(map).ShouldContain("precompiled_charsmap");

        static string Model(byte[] bytes) => Should.Throw<TokenizerException>(() => SentencePieceFile.Read(bytes, "tokenizer.model")).Message;
    }

    [Fact]
    public void A_gguf_vocabulary_is_checked()
    {
        Gguf(new() { Model = "rwkv", Tokens = ["a"] }).ShouldContain("the kind \"rwkv\" is unknown");
        Gguf(new() { Model = "gpt2", Tokens = [] }).ShouldContain("tokenizer.ggml.tokens: is missing or empty");
        Gguf(new() { Model = "llama", Tokens = ["a"], Scores = [1, 2], TokenTypes = [1, 1, 1] }).ShouldSatisfyAllConditions(
            m => m.ShouldContain("scores: expected 1"), m => m.ShouldContain("token_type: expected 1"));
        Gguf(new() { Model = "gpt2", Pre = "mystery", Tokens = ["a"], Merges = ["a b"] }).ShouldSatisfyAllConditions(
            m => m.ShouldContain("\"mystery\" is unknown; known are "), m => m.ShouldContain("merges[0]"));
        Gguf(new() { Model = "llama", Tokens = ["a"], TokenTypes = [77] }).ShouldContain("expected 1 to 6, found 77");
        Gguf(new() { Model = "t5", Tokens = ["<unk>"], TokenTypes = [2], PrecompiledCharsmap = new byte[] { 1 } }).ShouldContain("precompiled_charsmap");
        Gguf(new() { Model = "bert", Tokens = ["[UNK]"] }).ShouldContain("[CLS]");

        static string Gguf(GgufVocabulary vocabulary) => Should.Throw<TokenizerException>(() => Tokenizer.FromGguf(vocabulary)).Message;
    }

    [Fact]
    public void Damaged_files_never_do_worse_than_a_tokenizer_exception()
    {
        Random random = new(99);
        byte[] json = Encoding.UTF8.GetBytes("""
            {"added_tokens":[{"id":5,"content":"<s>","special":true,"lstrip":true}],
             "normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"}]},
             "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Metaspace","replacement":"▁"}]},
             "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"x":{"ids":[5]}}},
             "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
             "model":{"type":"BPE","unk_token":"?","byte_fallback":true,"vocab":{"?":0,"a":1,"▁":2,"▁a":3,"<0x41>":4},"merges":["▁ a"]}}
            """);
        byte[] small = SentencePieceBytes.Bpe([("▁", -1, 1), ("a", -2, 1), ("▁a", -4, 1), ("<x>", 0, 4)]);
        byte[] real = File.ReadAllBytes(GoldenData.Path("tokenizers", "sentencepiece-unigram", "test_model.model"));
        byte[] stories = File.ReadAllBytes(GoldenData.Path("tokenizers", "stories260K.model"));
        byte[] words = Encoding.UTF8.GetBytes("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhi\n##s\n");
        byte[] llama2c = [8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, .. "<unk>"u8, 0, 0, 0, 0, 1, 0, 0, 0, .. "a"u8];
        using ModelFolder folder = new();
        foreach ((string name, byte[] file, int runs) in ((string, byte[], int)[])
            [("tokenizer.json", json, 500), ("small.model", small, 500), ("real.model", real, 60), ("stories.model", stories, 200), ("vocab.txt", words, 100), ("tokenizer.bin", llama2c, 200)])
        {
            for (int run = 0; run < runs; run++)
            {
                byte[] damaged = Damage(file, random);
                string path = folder.Add(name, damaged);
                try
                {
                    Tokenizer tokenizer = Tokenizer.Load(path);
                    tokenizer.Decode(tokenizer.EncodeIds("a  <s> b1 ﬁ é<x>"));
                }
                catch (TokenizerException)
                {
                }
                File.Delete(path);
            }
        }
    }

    private static byte[] Damage(byte[] file, Random random)
    {
        byte[] damaged = random.Next(3) == 0 ? file[..random.Next(file.Length)] : [.. file];
        for (int flips = random.Next(4); flips > 0 && damaged.Length > 0; flips--)
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
        return damaged;
    }
}
