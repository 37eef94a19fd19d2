using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>Finds out which kind of tokenizer lies in a folder or file.</summary>
internal static class TokenizerLoader
{
    private const string Known = "tokenizer.json, tokenizer.model, spiece.model, vocab.json with merges.txt, vocab.txt or tokenizer.bin";

    /// <summary>Loads what there is.</summary>
    /// <exception cref="TokenizerException">There is nothing, or it is broken.</exception>
    public static Tokenizer Load(string folderOrFile)
    {
        if (Directory.Exists(folderOrFile))
            return LoadFile(FindIn(folderOrFile));
        if (File.Exists(folderOrFile))
            return LoadFile(folderOrFile);
        throw new TokenizerException(folderOrFile, $"there is no such file or folder; expected a model's folder or one of {Known}");
    }

    private static string FindIn(string folder)
    {
        foreach (string name in (string[])["tokenizer.json", "tokenizer.model", "spiece.model"])
            if (File.Exists(Path.Combine(folder, name)))
                return Path.Combine(folder, name);
        bool vocabulary = File.Exists(Path.Combine(folder, "vocab.json"));
        bool merges = File.Exists(Path.Combine(folder, "merges.txt"));
        if (vocabulary && merges)
            return Path.Combine(folder, "vocab.json");
        if (vocabulary != merges)
            throw new TokenizerException(folder, vocabulary ? "vocab.json has no merges.txt next to it" : "merges.txt has no vocab.json next to it");
        foreach (string name in (string[])["vocab.txt", "tokenizer.bin"])
            if (File.Exists(Path.Combine(folder, name)))
                return Path.Combine(folder, name);
        throw new TokenizerException(folder, $"holds no tokenizer; expected {Known}");
    }

    private static Tokenizer LoadFile(string path)
    {
        string name = Path.GetFileName(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        TokenizerSettings settings = TokenizerSettings.Read(folder);
        if (name.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return LoadJson(path, folder, settings);
        if (name is "merges.txt")
            return VocabularyAndMerges.Load(Path.Combine(folder, "vocab.json"), path, settings);
        if (name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
            return WordPieceVocabulary.Load(path, settings);
        if (name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase))
            return Llama2cTokenizer.Load(path);
        if (name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            throw new TokenizerException(path, "a GGUF file's tokenizer lies in its metadata; read those and call Tokenizer.FromGguf");
        return SentencePieceTokenizer.Load(path, settings);
    }

    private static Tokenizer LoadJson(string path, string folder, TokenizerSettings settings)
    {
        using JsonDocument document = JsonField.ReadFile(path);
        bool isWhole = document.RootElement.ValueKind != JsonValueKind.Object || document.RootElement.TryGetProperty("model", out JsonElement model)
            && model.ValueKind == JsonValueKind.Object;
        return isWhole || !File.Exists(Path.Combine(folder, "merges.txt"))
            ? TokenizerJson.Load(document, path, settings)
            : VocabularyAndMerges.Load(document, path, Path.Combine(folder, "merges.txt"), settings);
    }
}
