using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>Reads the <c>model</c> of a <c>tokenizer.json</c>.</summary>
internal static class ModelJson
{
    /// <summary>Reads the model.</summary>
    /// <param name="model">Where it is.</param>
    /// <param name="readBytes">A byte-level model may read plain text as bytes.</param>
    public static TokenModel? Read(JsonField model, bool readBytes)
    {
        if (!model.IsObject())
            return null;
        string type = model["type"].Text() ?? Guess(model);
        switch (type)
        {
            case "BPE":
                return ReadBpe(model, readBytes);
            case "Unigram":
                return ReadUnigram(model);
            case "WordPiece":
                return ReadWordPiece(model);
            case "WordLevel":
                return ReadVocabulary(model["vocab"]) is { } words ? new WordLevelModel(words, words.IdOf(model["unk_token"].Text() ?? "<unk>")) : null;
            default:
                model["type"].Problem($"unknown model \"{type}\"; known are BPE, Unigram, WordPiece and WordLevel");
                return null;
        }
    }

    /// <summary>Files of early versions name no type.</summary>
    private static string Guess(JsonField model)
    {
        if (model["merges"].Exists)
            return "BPE";
        if (model["vocab"].Kind == JsonValueKind.Array)
            return "Unigram";
        return model["max_input_chars_per_word"].Exists ? "WordPiece" : "WordLevel";
    }

    private static BpeModel? ReadBpe(JsonField model, bool readBytes)
    {
        Vocabulary? vocabulary = ReadVocabulary(model["vocab"]);
        if (vocabulary is null)
            return null;
        if (!model["merges"].Exists)
            model["merges"].Problem("is missing");
        string prefix = model["continuing_subword_prefix"].Text() ?? "";
        MergeTable merges = MergeReader.Read(model["merges"], vocabulary, prefix);
        return new(vocabulary, merges, new BpeOptions
        {
            Prefix = prefix,
            Suffix = model["end_of_word_suffix"].Text() ?? "",
            UnknownId = ReadUnknown(model["unk_token"], vocabulary),
            FuseUnknown = model["fuse_unk"].Flag(false),
            ByteFallback = model["byte_fallback"].Flag(false),
            IgnoreMerges = model["ignore_merges"].Flag(false),
        }, readBytes);
    }

    private static WordPieceModel? ReadWordPiece(JsonField model)
    {
        if (ReadVocabulary(model["vocab"]) is not { } vocabulary)
            return null;
        string unknown = model["unk_token"].Text() ?? "[UNK]";
        int unknownId = vocabulary.IdOf(unknown);
        if (unknownId < 0)
            model["unk_token"].Problem($"the token \"{unknown}\" is not in the vocabulary");
        int longest = model["max_input_chars_per_word"].Whole(100);
        return new(vocabulary, unknownId, model["continuing_subword_prefix"].Text() ?? "##", longest);
    }

    private static UnigramModel? ReadUnigram(JsonField model)
    {
        if (!model["vocab"].Exists)
        {
            model["vocab"].Problem("is missing");
            return null;
        }
        VocabularyBuilder builder = new(1 << 15);
        List<double> scores = [];
        foreach (JsonField item in model["vocab"].Items())
        {
            if (item.Kind != JsonValueKind.Array || item.Element.GetArrayLength() != 2 || item.Element[0].ValueKind != JsonValueKind.String
                || item.Element[1].ValueKind != JsonValueKind.Number || !item.Element[1].TryGetDouble(out double score) || !double.IsFinite(score))
            {
                item.Problem($"expected a token and its score, found {item.Describe()}");
                continue;
            }
            builder.Add(item.Items().First().RequiredText(), scores.Count);
            scores.Add(score);
        }
        int unknownId = model["unk_id"].Exists ? model["unk_id"].RequiredId() : -1;
        if (unknownId >= scores.Count)
            model["unk_id"].Problem($"the vocabulary has {scores.Count} tokens and none with the number {unknownId}");
        builder.Check(model.Problems, model["vocab"].Path);
        return new(builder.Build(scores.Count), [.. scores], unknownId, model["byte_fallback"].Flag(false));
    }

    private static int ReadUnknown(JsonField field, Vocabulary vocabulary)
    {
        string? token = field.Text();
        if (token is null)
            return -1;
        int id = vocabulary.IdOf(token);
        if (id < 0)
            field.Problem($"the token \"{token}\" is not in the vocabulary");
        return id;
    }

    /// <summary>Reads an object of tokens and their numbers.</summary>
    public static Vocabulary? ReadVocabulary(JsonField field)
    {
        if (!field.Exists)
        {
            field.Problem("is missing");
            return null;
        }
        if (!field.IsObject())
            return null;
        VocabularyBuilder builder = new(1 << 15);
        foreach (JsonProperty entry in field.Element.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || id is < 0 or > Limits.LargestTokenId)
            {
                field[entry.Name].RequiredId();
                continue;
            }
            builder.Add(entry.Name, id);
        }
        return builder.Check(field.Problems, field.Path) ? builder.Build() : null;
    }
}
