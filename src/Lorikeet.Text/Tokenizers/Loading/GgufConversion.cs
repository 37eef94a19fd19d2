using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>
/// Turns the tokenizer of a Hugging Face folder into the vocabulary that a GGUF file carries: byte-level BPE whose word pattern has a name among those of llama.cpp,
/// and SentencePiece models. What comes out is tried against the original before anyone gets it.
/// </summary>
internal static class GgufConversion
{
    /// <summary>Texts on which a conversion has to agree with what it was made from.</summary>
    public static readonly string[] Probes =
    [
        "Hello, world! It's 12345 o'clock.", "  two  blanks\tand\n\nlines \r\n", "naïve façade — 漢字かな 🙂👩‍👩‍👧", "def f(x):\n    return x**2 # 3.14e-10", "I'LL don't WE'VE", "é é ﬁ Å",
    ];

    /// <summary>Converts.</summary>
    /// <param name="folderOrFile">A model's folder, or the file itself.</param>
    /// <exception cref="TokenizerException">It is broken, or no GGUF file can say what it does.</exception>
    public static GgufVocabulary Convert(string folderOrFile)
    {
        Tokenizer original = Tokenizer.Load(folderOrFile);
        string[] files = Directory.Exists(folderOrFile) ? [Path.Combine(folderOrFile, "tokenizer.model"), Path.Combine(folderOrFile, "tokenizer.json")] : [folderOrFile];
        string file = files.FirstOrDefault(File.Exists) is { } found && !found.EndsWith(".txt", StringComparison.Ordinal) && !found.EndsWith(".bin", StringComparison.Ordinal) ? found
            : throw new TokenizerException(folderOrFile, "only the tokenizers of a tokenizer.json or a tokenizer.model can be written into a GGUF file");
        int[] ids = original.Encode("a").Ids;
        GgufVocabulary vocabulary = (file.EndsWith(".json", StringComparison.Ordinal) ? FromJson(file, original) : FromPieces(file, original)) with
        {
            BosId = original.BosId,
            EosId = original.EosId,
            PadId = original.PadId,
            UnkId = original.UnknownToken is { } unknown ? original.IdOf(unknown) : null,
            AddBos = original.BosId is { } bos && ids.Length > 0 && ids[0] == bos,
            AddEos = original.EosId is { } eos && ids.Length > 1 && ids[^1] == eos,
        };
        Tokenizer converted = Tokenizer.FromGguf(vocabulary);
        foreach (string probe in Probes)
        {
            if (!converted.Encode(probe).Ids.SequenceEqual(original.Encode(probe).Ids))
                throw new TokenizerException(folderOrFile, $"a GGUF file cannot express this tokenizer: \"{probe.ReplaceLineEndings("⏎")}\" would be cut otherwise");
        }
        return vocabulary;
    }

    private static GgufVocabulary FromPieces(string path, Tokenizer original)
    {
        SentencePieceModel model = SentencePieceFile.Read(File.ReadAllBytes(path), path);
        List<string> tokens = [.. model.Pieces.Select(piece => piece.Text)];
        List<float> scores = [.. model.Pieces.Select(piece => piece.Score)];
        List<int> types = [.. model.Pieces.Select(piece => (int)piece.Type)];
        foreach (AddedToken token in original.AddedTokens)
        {
            Fill(tokens, types, token.Id);
            if (types[token.Id] is not ((int)PieceType.Unknown or (int)PieceType.Control))
                (tokens[token.Id], types[token.Id]) = (token.Content, token.Special ? (int)PieceType.Control : (int)PieceType.UserDefined);
        }
        while (scores.Count < tokens.Count)
            scores.Add(-1000);
        return new GgufVocabulary
        {
            Model = model.IsUnigram ? "t5" : "llama",
            Tokens = tokens,
            Scores = scores,
            TokenTypes = types,
            AddSpacePrefix = model.AddDummyPrefix,
            RemoveExtraWhitespaces = model.RemoveExtraWhitespaces,
        };
    }

    private static GgufVocabulary FromJson(string path, Tokenizer original)
    {
        using JsonDocument document = JsonField.ReadFile(path);
        JsonElement root = document.RootElement;
        // files of early versions name no type
        if (!root.TryGetProperty("model", out JsonElement model) || (Text(model, "type") ?? (model.TryGetProperty("merges", out _) ? "BPE" : null)) != "BPE" || !model.TryGetProperty("vocab", out JsonElement entries))
            throw new TokenizerException(path, "of tokenizer.json, byte-level BPE can be written into a GGUF file; this one is another kind");
        List<string> tokens = [];
        List<int> types = [];
        foreach (JsonProperty entry in entries.EnumerateObject())
        {
            Fill(tokens, types, entry.Value.GetInt32());
            (tokens[entry.Value.GetInt32()], types[entry.Value.GetInt32()]) = (entry.Name, (int)PieceType.Normal);
        }
        foreach (AddedToken token in original.AddedTokens)
        {
            Fill(tokens, types, token.Id);
            (tokens[token.Id], types[token.Id]) = (token.Content, token.Special ? (int)PieceType.Control : (int)PieceType.UserDefined);
        }
        List<string> expressions = [];
        bool prefix = false;
        if (root.TryGetProperty("pre_tokenizer", out JsonElement steps) && steps.ValueKind == JsonValueKind.Object)
            Read(steps, expressions, ref prefix, path);
        bool composes = root.TryGetProperty("normalizer", out JsonElement normalizer) && normalizer.ValueKind == JsonValueKind.Object && Text(normalizer, "type") == "NFC";
        string pre = GgufWordPatterns.NameOf(expressions, Flag(model, "ignore_merges"), composes)
            ?? throw new TokenizerException(path, $"its word pattern has no name among those of GGUF files: {string.Join(" then ", expressions)}");
        return new GgufVocabulary
        {
            Model = "gpt2",
            Pre = pre,
            Tokens = tokens,
            TokenTypes = types,
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.Array ? $"{merge[0].GetString()} {merge[1].GetString()}" : merge.GetString()!)],
            AddSpacePrefix = prefix,
        };
    }

    // numbers that no token has
    private static void Fill(List<string> tokens, List<int> types, int id)
    {
        while (tokens.Count <= id)
        {
            tokens.Add($"[PAD{tokens.Count}]");
            types.Add((int)PieceType.Unused);
        }
    }

    private static void Read(JsonElement step, List<string> expressions, ref bool prefix, string path)
    {
        switch (Text(step, "type"))
        {
            case "Sequence":
                foreach (JsonElement item in step.GetProperty("pretokenizers").EnumerateArray())
                    Read(item, expressions, ref prefix, path);
                break;
            case "ByteLevel":
                prefix |= Flag(step, "add_prefix_space");
                if (!step.TryGetProperty("use_regex", out JsonElement use) || use.ValueKind != JsonValueKind.False)
                    expressions.Add(Gpt2WordPattern.Source);
                break;
            case "Digits":
                expressions.Add(Flag(step, "individual_digits") ? @"\p{N}" : @"\p{N}+");
                break;
            case "Split" when step.GetProperty("pattern").TryGetProperty("Regex", out JsonElement expression):
                expressions.Add(expression.GetString()!);
                break;
            case var other:
                throw new TokenizerException(path, $"a GGUF file cannot express its pre-tokenizer {other}");
        }
    }

    private static string? Text(JsonElement element, string key) => element.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement element, string key) => element.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.True;
}
