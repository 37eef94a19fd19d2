using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>Reads <c>tokenizer.json</c>, the format of Hugging Face's tokenizers library (version 1.0).</summary>
internal static class TokenizerJson
{
    /// <summary>Builds the tokenizer that a file describes.</summary>
    /// <param name="document">The file's content.</param>
    /// <param name="source">Its name, for problems.</param>
    /// <param name="settings">What the files next to it add.</param>
    /// <exception cref="TokenizerException">The file is broken or asks for something unknown.</exception>
    public static Tokenizer Load(JsonDocument document, string source, TokenizerSettings settings)
    {
        ProblemList problems = new(source);
        JsonField root = new(document.RootElement, "", problems);
        if (root.Kind != JsonValueKind.Object)
            root.Problem($"expected an object, found {root.Describe()}");
        if (!root["model"].Exists)
            root["model"].Problem("is missing");
        problems.ThrowIfAny();

        Normalizer? normalizer = NormalizerJson.Read(root["normalizer"]);
        List<PreTokenizer> preTokenizers = PreTokenizerJson.Read(root["pre_tokenizer"]);
        // where the last step only spells bytes for a model that can read them itself, it does
        ByteLevelPreTokenizer? speller = preTokenizers.LastOrDefault() as ByteLevelPreTokenizer;
        TokenModel? model = ModelJson.Read(root["model"], readBytes: speller is not null);
        SpecialTokenTemplate template = PostProcessorJson.Read(root["post_processor"]);
        Func<DecodeStage, DecodeStage>? decoder = DecoderJson.Read(root["decoder"]);
        List<AddedToken> added = ReadAddedTokens(root["added_tokens"], model?.Vocabulary);
        problems.ThrowIfAny();

        settings.AddMissing(added);
        if (speller is not null && model is BpeModel { ReadsBytes: true })
            preTokenizers[^1] = speller.WithoutSpelling();
        Dictionary<int, string> normalized = added.Where(t => t.Normalized)
            .GroupBy(t => t.Id).ToDictionary(g => g.Key, g => PieceEncoder.Normalize(normalizer, g.Last().Content));
        return new(new TokenizerParts
        {
            Encoder = new PieceEncoder(normalizer, [.. preTokenizers], model!, added),
            AddedTokens = added,
            Template = template,
            Decoding = (tokenizer, skipSpecial) => new StagedDecoding(
                id => skipSpecial && tokenizer.IsSpecial(id) ? null : normalized.TryGetValue(id, out string? text) ? text : Known(tokenizer.TokenOf(id)),
                decoder ?? (next => new JoinStage(next))),
            BosToken = settings.BosToken,
            EosToken = settings.EosToken,
            PadToken = settings.PadToken,
            UnknownToken = settings.UnknownToken,
        });
    }

    private static string? Known(string token) => token.Length == 0 ? null : token;

    private static List<AddedToken> ReadAddedTokens(JsonField list, Vocabulary? vocabulary)
    {
        List<AddedToken> tokens = [];
        foreach (JsonField item in list.Items())
        {
            if (!item.IsObject())
                continue;
            string content = item["content"].RequiredText();
            int id = item["id"].RequiredId();
            if (content.Length > Limits.LongestToken)
                item["content"].Problem($"{content.Length} characters; at most {Limits.LongestToken} are read");
            if (content.Length is 0 or > Limits.LongestToken)
                continue;
            // the model's own number wins, as it does where the format comes from
            if (vocabulary is not null && vocabulary.IdOf(content) is >= 0 and int own)
                id = own;
            bool special = item["special"].Flag(false);
            tokens.Add(new(
                id, content, item["single_word"].Flag(false), item["lstrip"].Flag(false), item["rstrip"].Flag(false),
                item["normalized"].Flag(!special), special));
        }
        return tokens;
    }
}
