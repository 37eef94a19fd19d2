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
