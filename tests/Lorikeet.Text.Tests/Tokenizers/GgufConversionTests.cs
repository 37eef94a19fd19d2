using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>Tokenizers of Hugging Face folders as a GGUF file would carry them.</summary>
public class GgufConversionTests
{
    private static readonly string[] Controls = ["<s>", "</s>", "[INST]"];

    [Theory]
    [InlineData("tok-smollm2/tokenizer.json", "smollm")]
    [InlineData("tok-qwen3/tokenizer.json", "qwen2")]
    public void Byte_level_bpe_keeps_its_tokens_and_finds_the_name_of_its_word_pattern(string file, string pre)
    {
        string path = GoldenData.Shared(file.Split('/'));
        GgufVocabulary converted = GgufVocabulary.FromFolder(path);
        converted.Pre.ShouldBe(pre);
        ShouldCutAlike(Tokenizer.FromGguf(converted), Tokenizer.Load(path));
    }

    [Theory]
    [InlineData("tokenizer.model.v1")]
    [InlineData("mistral_instruct_tokenizer_240323.model.v3")]
    public void A_sentencepiece_model_keeps_its_pieces(string file)
    {
        string path = GoldenData.Shared("tok-mistral", file);
        ShouldCutAlike(Tokenizer.FromGguf(GgufVocabulary.FromFolder(path)), Tokenizer.Load(path));
    }

    [Fact]
    public void A_small_sentencepiece_model_keeps_its_pieces()
    {
        string path = GoldenData.Path("tokenizers", "stories260K.model");
        ShouldCutAlike(Tokenizer.FromGguf(GgufVocabulary.FromFolder(path)), Tokenizer.Load(path));
    }

    [Fact]
    public void Word_pieces_are_refused() =>
        Should.Throw<TokenizerException>(() => GgufVocabulary.FromFolder(GoldenData.Path("tokenizers", "bert-base-uncased"))).Message.ShouldContain("tokenizer.json");

    private static void ShouldCutAlike(Tokenizer found, Tokenizer expected)
    {
        using JsonDocument texts = JsonDocument.Parse(File.ReadAllText(GoldenData.Path("tokenizers", "texts.json")));
        // SentencePiece never finds control tokens in a text, whoever reads GGUF does
        foreach (string text in Strings(texts.RootElement).Where(text => !Controls.Any(control => text.Contains(control, StringComparison.Ordinal))))
        {
            int[] ids = found.Encode(text).Ids;
            ids.ShouldBe(expected.Encode(text).Ids, text);
            found.Decode(ids, skipSpecial: true).ShouldBe(expected.Decode(ids, skipSpecial: true), text);
        }
    }

    private static IEnumerable<string> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Strings(property.Value)),
        _ => [],
    };
}
