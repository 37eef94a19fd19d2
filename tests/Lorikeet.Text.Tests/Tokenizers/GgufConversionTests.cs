using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>Tokenizers of Hugging Face folders as a GGUF file would carry them.</summary>
public class GgufConversionTests
{
    private static readonly string[] Controls = ["<s>", "</s>", "[INST]"];

    [Theory]
    [InlineData("tok-smollm2/tokenizer.json", "smollm")]
    [InlineData("tok-gpt2/tokenizer.json", "gpt-2")]
    [InlineData("tok-qwen3/tokenizer.json", "qwen2")]
    public void Byte_level_bpe_keeps_its_tokens_and_finds_the_name_of_its_word_pattern(string file, string pre)
    {
        string path = GoldenData.Shared(file.Split('/'));
        GgufVocabulary converted = GgufVocabulary.FromFolder(path);
        converted.Pre.ShouldBe(pre);
        ShouldCutAlike(Tokenizer.FromGguf(converted), Tokenizer.Load(path), Controls);
    }

    [Theory]
    [InlineData("tokenizer.model.v1")]
    [InlineData("mistral_instruct_tokenizer_240323.model.v3")]
    public void A_sentencepiece_model_keeps_its_pieces(string file)
    {
        string path = GoldenData.Shared("tok-mistral", file);
        ShouldCutAlike(Tokenizer.FromGguf(GgufVocabulary.FromFolder(path)), Tokenizer.Load(path), Controls);
    }

    [Fact]
    public void A_small_sentencepiece_model_keeps_its_pieces()
    {
        string path = GoldenData.Path("tokenizers", "stories260K.model");
        ShouldCutAlike(Tokenizer.FromGguf(GgufVocabulary.FromFolder(path)), Tokenizer.Load(path), Controls);
    }

    [Theory]
    [InlineData("model-smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf")]
    [InlineData("golden-stories260K/stories260K-f32.gguf")]
    [InlineData("conf-llamacpp-vocab/ggml-vocab-falcon.gguf")]
    [InlineData("conf-llamacpp-vocab/ggml-vocab-gpt-2.gguf")]
    [InlineData("conf-llamacpp-vocab/ggml-vocab-mpt.gguf")]
    [InlineData("conf-llamacpp-vocab/ggml-vocab-phi-3.gguf")]
    public void The_vocabulary_of_a_GGUF_file_is_the_same_tokenizer_as_a_tokenizer_json(string file) => ShouldReadBack(GgufMetadata.Read(GoldenData.Shared(file.Split('/'))), []);

    [Fact]
    public void Small_vocabularies_are_the_same_tokenizers_as_tokenizer_json()
    {
        ShouldReadBack(GgufVocabulary.FromFolder(GoldenData.Path("tokenizers", "stories260K.model")), []);
        ShouldReadBack(GgufVocabulary.FromFolder(GoldenData.Path("tokenizers", "gpt2", "tokenizer.json")), []);
    }

    [Fact]
    public void Kinds_that_are_not_written_as_tokenizer_json_are_refused() =>
        Should.Throw<TokenizerException>(() => new GgufVocabulary
        {
            Model = "t5", Tokens = ["<pad>", "</s>", "<unk>", "▁a"], Scores = [0, 0, 0, -1], TokenTypes = [3, 3, 2, 1], EosId = 1, UnkId = 2,
        }.ToTokenizerJson()).Message.ShouldContain("gpt2 and llama are");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pieces_that_can_be_cut_in_too_many_ways_are_refused_before_they_fill_the_memory(bool merging)
    {
        IEnumerable<string> pieces = merging ? Enumerable.Range(1, 1500).Select(i => new string('a', 2 * i)) : Enumerable.Range(0x4E00, 100).Select(i => new string((char)i, 4000));
        string[] tokens = ["<unk>", "<s>", "</s>", "a", .. pieces];
        Should.Throw<TokenizerException>(() => new GgufVocabulary
        {
            Model = "llama", Tokens = tokens, Scores = new float[tokens.Length], TokenTypes = [2, 3, 3, .. Enumerable.Repeat(1, tokens.Length - 3)], BosId = 1, EosId = 2, UnkId = 0,
        }.ToTokenizerJson()).Message.ShouldContain("too many merges");
    }

    private static void ShouldReadBack(GgufVocabulary vocabulary, string[] controls)
    {
        string folder = Directory.CreateTempSubdirectory("lorikeet-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), vocabulary.ToTokenizerJson());
            ShouldCutAlike(Tokenizer.Load(folder), Tokenizer.FromGguf(vocabulary), controls);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Word_pieces_are_refused() =>
        Should.Throw<TokenizerException>(() => GgufVocabulary.FromFolder(GoldenData.Path("tokenizers", "bert-base-uncased"))).Message.ShouldContain("tokenizer.json");

    private static void ShouldCutAlike(Tokenizer found, Tokenizer expected, string[] controls)
    {
        using JsonDocument texts = JsonDocument.Parse(File.ReadAllText(GoldenData.Path("tokenizers", "texts.json")));
        // SentencePiece never finds control tokens in a text, whoever reads GGUF does
        foreach (string text in Strings(texts.RootElement).Where(text => !controls.Any(control => text.Contains(control, StringComparison.Ordinal))))
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
