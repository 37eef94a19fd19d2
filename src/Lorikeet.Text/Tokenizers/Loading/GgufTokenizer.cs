namespace Lorikeet.Text;

/// <summary>Builds the tokenizer that a GGUF file carries in its metadata.</summary>
internal static class GgufTokenizer
{
    public static Tokenizer Build(GgufVocabulary vocabulary) =>
        throw new TokenizerException("GGUF", $"tokenizer.ggml.model: unknown model \"{vocabulary.Model}\"");
}
