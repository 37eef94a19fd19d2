using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>
/// Writes the vocabulary of a GGUF file as a <c>tokenizer.json</c>: byte-level BPE, and SentencePiece BPE with merges in place of scores, as Hugging Face's own conversion
/// makes them. What comes out is tried against the original before anyone gets it.
/// </summary>
internal static class GgufTokenizerJson
{
    private const int TokensTried = 16;

    // of all merges together; the largest vocabularies of models have some millions
    private const long MostCharacters = 64 << 20;

    // of all cuts that are tried, each of which reads its piece
    private const long MostCharactersTried = 1 << 30;

    private static readonly JsonWriterOptions Readable = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file's bytes.</summary>
    /// <exception cref="TokenizerException">The vocabulary is broken, or of a kind that is not written.</exception>
    public static byte[] Write(GgufVocabulary vocabulary)
    {
        Tokenizer original = Tokenizer.FromGguf(vocabulary);
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes, Readable))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            AddedTokens(json, original.AddedTokens);
            switch (vocabulary.Model)
            {
                case "gpt2":
                    ByteLevel(json, vocabulary);
                    break;
                case "llama":
                    Pieces(json, vocabulary, original.UnknownToken);
                    break;
                default:
                    throw new TokenizerException("GGUF metadata", $"tokenizer.ggml.model: \"{vocabulary.Model}\" is not turned into tokenizer.json; gpt2 and llama are");
            }
            json.WriteEndObject();
        }
        byte[] written = bytes.WrittenSpan.ToArray();
        Try(written, original);
        return written;
    }

    private static void Try(byte[] written, Tokenizer original)
    {
        using JsonDocument document = JsonDocument.Parse(written);
        Tokenizer again = TokenizerJson.Load(document, "tokenizer.json", TokenizerSettings.None);
        IEnumerable<string> tokens = original.AddedTokens.Take(TokensTried).Select(token => $"a {token.Content} b{token.Content}c");
        if (GgufConversion.Probes.Concat(tokens).FirstOrDefault(probe => !again.Encode(probe).Ids.SequenceEqual(original.Encode(probe).Ids)) is { } differs)
            throw new TokenizerException("GGUF metadata", $"a tokenizer.json cannot express this tokenizer: \"{differs.ReplaceLineEndings("⏎")}\" would be cut otherwise");
    }

    private static void AddedTokens(Utf8JsonWriter json, IReadOnlyList<AddedToken> tokens)
    {
        json.WriteStartArray("added_tokens");
        foreach (AddedToken token in tokens)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", token.SingleWord);
            json.WriteBoolean("lstrip", token.StripLeft);
            json.WriteBoolean("rstrip", token.StripRight);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void ByteLevel(Utf8JsonWriter json, GgufVocabulary source)
    {
        GgufWordPatterns patterns = GgufWordPatterns.Find(source.Pre)!;
        if (patterns.Composes)
            Step(json, "normalizer", "NFC");
        else
            json.WriteNull("normalizer");
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        foreach (string expression in patterns.Expressions)
            Step(json, null, "Split", () =>
            {
                Pattern(json, "Regex", expression);
                json.WriteString("behavior", "Isolated");
                json.WriteBoolean("invert", false);
            });
        Step(json, null, "ByteLevel", () => Spelling(source.AddSpacePrefix ?? false));
        json.WriteEndArray();
        json.WriteEndObject();
        Template(json, source, addBos: patterns.AddBos);
        Step(json, "decoder", "ByteLevel", () => Spelling(true));
        Model(json, source, null, patterns.IgnoreMerges, source.Merges.Select(merge => (merge[..merge.IndexOf(' ', 1)], merge[(merge.IndexOf(' ', 1) + 1)..])));

        void Spelling(bool prefix)
        {
            json.WriteBoolean("add_prefix_space", prefix);
            json.WriteBoolean("trim_offsets", true);
            json.WriteBoolean("use_regex", false);
        }
    }

    private static void Pieces(Utf8JsonWriter json, GgufVocabulary source, string? unknown)
    {
        bool prefix = source.AddSpacePrefix ?? true;
        string mark = SentencePieceModel.Mark.ToString();
        json.WriteStartObject("normalizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("normalizers");
        if (!source.PrecompiledCharsmap.IsEmpty)
            Step(json, null, "Precompiled", () => json.WriteBase64String("precompiled_charsmap", source.PrecompiledCharsmap.Span));
        if (source.RemoveExtraWhitespaces ?? false)
        {
            Step(json, null, "Strip", () =>
            {
                json.WriteBoolean("strip_left", true);
                json.WriteBoolean("strip_right", true);
            });
            Step(json, null, "Replace", () => Replacement("Regex", " {2,}", " "));
        }
        if (prefix)
            Step(json, null, "Prepend", () => json.WriteString("prepend", mark));
        Step(json, null, "Replace", () => Replacement("String", " ", mark));
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNull("pre_tokenizer");
        Template(json, source, addBos: true);
        json.WriteStartObject("decoder");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("decoders");
        Step(json, null, "Replace", () => Replacement("String", mark, " "));
        Step(json, null, "ByteFallback");
        Step(json, null, "Fuse");
        if (prefix)
        {
            Step(json, null, "Strip", () =>
            {
                json.WriteString("content", " ");
                json.WriteNumber("start", 1);
                json.WriteNumber("stop", 0);
            });
        }
        json.WriteEndArray();
        json.WriteEndObject();
        Model(json, source, unknown, ignoreMerges: false, Merges(source));

        void Replacement(string kind, string pattern, string content)
        {
            Pattern(json, kind, pattern);
            json.WriteString("content", content);
        }
    }

    // a piece merges from whatever two pieces spell it, the greatest score first; of those of one piece the longest left part, as the reference sorts them
    private static IEnumerable<(string Left, string Right)> Merges(GgufVocabulary source)
    {
        Dictionary<string, float> scores = new(StringComparer.Ordinal);
        for (int id = 0; id < source.Tokens.Count; id++)
        {
            PieceType type = source.TokenTypes.Count > 0 ? (PieceType)source.TokenTypes[id] : PieceType.Normal;
            if (source.Tokens[id].Length > 0 && type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused)
                scores.TryAdd(source.Tokens[id], source.Scores.Count > 0 ? source.Scores[id] : 0);
        }
        if (scores.Keys.Sum(text => (long)text.Length * text.Length) > MostCharactersTried)
            throw TooMany($"the longest piece has {scores.Keys.Max(text => text.Length):N0} characters, and there are {scores.Count:N0}");
        Dictionary<string, float>.AlternateLookup<ReadOnlySpan<char>> pieces = scores.GetAlternateLookup<ReadOnlySpan<char>>();
        List<(string Text, int Cut, float Score)> merges = [];
        long characters = 0;
        foreach ((string text, float score) in scores)
        {
            for (int cut = 1; cut < text.Length; cut++)
            {
                if (char.IsLowSurrogate(text[cut]) || !pieces.ContainsKey(text.AsSpan(0, cut)) || !pieces.ContainsKey(text.AsSpan(cut)))
                    continue;
                characters += text.Length;
                if (characters > MostCharacters)
                    throw TooMany($"they have more than {MostCharacters:N0} characters");
                merges.Add((text, cut, score));
            }
        }
        return merges.OrderByDescending(merge => merge.Score).ThenByDescending(merge => merge.Cut).Select(merge => (merge.Text[..merge.Cut], merge.Text[merge.Cut..]));

        static TokenizerException TooMany(FormattableString reason) =>
            new("GGUF metadata", $"a tokenizer.json of these pieces would have too many merges to find and to write: {FormattableString.Invariant(reason)}");
    }

    private static void Model(Utf8JsonWriter json, GgufVocabulary source, string? unknown, bool ignoreMerges, IEnumerable<(string Left, string Right)> merges)
    {
        bool pieces = source.Model == "llama";
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", unknown);
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", pieces);
        json.WriteBoolean("byte_fallback", pieces && source.TokenTypes.Contains((int)PieceType.Byte));
        json.WriteBoolean("ignore_merges", ignoreMerges);
        json.WriteStartObject("vocab");
        // of equal spellings the last number counts, as where they are read
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        for (int id = 0; id < source.Tokens.Count; id++)
            ids[source.Tokens[id]] = id;
        foreach ((string token, int id) in ids.OrderBy(pair => pair.Value))
            json.WriteNumber(token, id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((string left, string right) in merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Template(Utf8JsonWriter json, GgufVocabulary source, bool addBos)
    {
        SpecialTokenTemplate template = GgufTokenizer.Template(source, addBos, addEos: false);
        int[] special = [.. template.Single.Concat(template.Pair).SelectMany(part => part.Ids).Distinct()];
        if (special.Length == 0)
        {
            json.WriteNull("post_processor");
            return;
        }
        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        Parts("single", template.Single);
        Parts("pair", template.Pair);
        json.WriteStartObject("special_tokens");
        foreach (int id in special)
        {
            json.WriteStartObject(source.Tokens[id]);
            json.WriteString("id", source.Tokens[id]);
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(source.Tokens[id]);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();

        void Parts(string name, TemplatePart[] parts)
        {
            json.WriteStartArray(name);
            foreach (TemplatePart part in parts)
            {
                if (part.Sequence >= 0)
                    Part("Sequence", part.Sequence == 0 ? "A" : "B", part.TypeId);
                foreach (int id in part.Ids)
                    Part("SpecialToken", source.Tokens[id], part.TypeId);
            }
            json.WriteEndArray();
        }

        void Part(string kind, string id, int type)
        {
            json.WriteStartObject();
            json.WriteStartObject(kind);
            json.WriteString("id", id);
            json.WriteNumber("type_id", type);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void Step(Utf8JsonWriter json, string? name, string type, Action? fields = null)
    {
        if (name is null)
            json.WriteStartObject();
        else
            json.WriteStartObject(name);
        json.WriteString("type", type);
        fields?.Invoke();
        json.WriteEndObject();
    }

    private static void Pattern(Utf8JsonWriter json, string kind, string pattern)
    {
        json.WriteStartObject("pattern");
        json.WriteString(kind, pattern);
        json.WriteEndObject();
    }
}
