namespace Lorikeet.Text.Tests;

/// <summary>Tokenizers from GGUF metadata give the ids that llama.cpp's own vectors hold, which come from Hugging Face's tokenizers.</summary>
public sealed class GgufTokenizerTests
{
    [Theory]
    [InlineData("bert-bge")]
    [InlineData("falcon")]
    [InlineData("gpt-2")]
    [InlineData("mpt")]
    [InlineData("phi-3")]
    public void Ids_equal_the_vectors_of_llama_cpp(string name)
    {
        Tokenizer tokenizer = Tokenizer.FromGguf(GgufMetadata.Read(GoldenData.Shared("conf-llamacpp-vocab", $"ggml-vocab-{name}.gguf")));
        DifferencesFromVectors(tokenizer, name).ShouldBeEmpty();
    }

    /// <summary>Vectors whose GGUF is too large to be at hand, checked with the same vocabulary in another form.</summary>
    [Theory]
    [InlineData("gpt-2", "goldens/gpt2/tokenizer.json")]
    [InlineData("roberta-bpe", "tok-roberta/tokenizer.json")]
    [InlineData("qwen2", "tok-qwen3/tokenizer.json")]
    [InlineData("deepseek-r1-qwen", "tok-qwen3/tokenizer.json")]
    [InlineData("bert-bge", "tok-bert-base-uncased/tokenizer.json")]
    public void Ids_of_the_json_form_equal_the_vectors_of_llama_cpp(string name, string file)
    {
        Tokenizer tokenizer = GoldenTexts.Tokenizer(file);
        DifferencesFromVectors(tokenizer, name).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("smollm2", "model-smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf")]
    [InlineData("stories260K", "golden-stories260K/stories260K-f32.gguf")]
    public void The_vocabulary_of_a_model_file_equals_the_reference(string name, string file)
    {
        Tokenizer tokenizer = Tokenizer.FromGguf(GgufMetadata.Read(GoldenData.Shared(file.Split('/'))));
        List<string> differences = [];
        foreach (GoldenRow row in GoldenTexts.Rows(name + ".jsonl"))
        {
            // special tokens written in a text are found in a GGUF vocabulary; the SentencePiece reference takes them as text
            if (name == "stories260K" && tokenizer.AddedTokens.Any(t => row.Text.Contains(t.Content, StringComparison.Ordinal)))
                continue;
            if (!tokenizer.EncodeIds(row.Text, addSpecial: false).SequenceEqual(row.Ids))
                differences.Add($"{row.Text}: {string.Join(' ', tokenizer.EncodeIds(row.Text, addSpecial: false))}, expected {string.Join(' ', row.Ids)}");
        }
        differences.ShouldBeEmpty();
    }

    [Fact]
    public void Special_tokens_go_around_a_text_as_the_keys_say()
    {
        GgufVocabulary llama = new()
        {
            Model = "llama",
            Tokens = ["<unk>", "<s>", "</s>", "▁a", "▁", "a", "<|user|>"],
            Scores = [0, 0, 0, -1, -2, -3, 0],
            TokenTypes = [2, 3, 3, 1, 1, 1, 3],
            BosId = 1,
            EosId = 2,
            PadId = -1,
        };
        Tokenizer tokenizer = Tokenizer.FromGguf(llama);
        tokenizer.Encode("a<s>a").Tokens.ShouldBe(["<s>", "▁a", "<s>", "▁a"]);
        tokenizer.PadToken.ShouldBeNull();
        Tokenizer.FromGguf(llama with { AddBos = false, AddEos = true, AddSpacePrefix = false }).Encode("a").Tokens.ShouldBe(["a", "</s>"]);
        // Phi-3's special tokens swallow the blanks behind them
        Tokenizer.FromGguf(llama with { Name = "Phi-3 mini" }).Encode("<|user|>\n a").Ids.ShouldBe([1, 6, 3]);

        GgufVocabulary bert = new()
        {
            Model = "bert", Tokens = ["<s>", "</s>", "▁<unk>", "▁hi", "s"], TokenTypes = [3, 3, 1, 1, 1], UnkId = 2, ClassifierId = 0, SeparatorId = 1,
        };
        Should.Throw<TokenizerException>(() => Tokenizer.FromGguf(bert with { ClassifierId = null })).Message.ShouldContain("[CLS]");
    }

    [Fact]
    public void A_unigram_model_ends_with_its_token()
    {
        Tokenizer tokenizer = Tokenizer.FromGguf(new()
        {
            Model = "t5",
            Tokens = ["<pad>", "</s>", "<unk>", "▁a", "▁", "b"],
            Scores = [0, 0, 0, -1, -2, -3],
            TokenTypes = [3, 3, 2, 1, 1, 1],
            EosId = 1,
            UnkId = 2,
            RemoveExtraWhitespaces = true,
        });
        tokenizer.Encode(" a  b x").Tokens.ShouldBe(["▁a", "▁", "b", "▁", "x", "</s>"]);
        tokenizer.Encode("ab").Ids.ShouldBe([3, 5, 1]);
    }

    private static List<string> DifferencesFromVectors(Tokenizer tokenizer, string name)
    {
        string[] texts = File.ReadAllText(GoldenData.Shared("conf-llamacpp-vocab", $"ggml-vocab-{name}.gguf.inp")).Split("\n__ggml_vocab_test__\n")[..^1];
        string[] lines = File.ReadAllLines(GoldenData.Shared("conf-llamacpp-vocab", $"ggml-vocab-{name}.gguf.out"));
        lines.Length.ShouldBe(texts.Length);
        List<string> differences = [];
        foreach ((string text, string line) in texts.Zip(lines))
        {
            string found = string.Join(' ', tokenizer.EncodeIds(text, addSpecial: false));
            if (found != line.Trim())
                differences.Add($"{System.Text.Json.JsonSerializer.Serialize(text)}: {found}, expected {line.Trim()}");
        }
        return differences;
    }
}
