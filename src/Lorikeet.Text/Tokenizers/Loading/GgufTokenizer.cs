namespace Lorikeet.Text;

/// <summary>Builds the tokenizer that a GGUF file carries in its metadata.</summary>
internal static class GgufTokenizer
{
    private const string Source = "GGUF metadata";

    /// <summary>Builds it.</summary>
    /// <exception cref="TokenizerException">The vocabulary is broken or of an unknown kind.</exception>
    public static Tokenizer Build(GgufVocabulary vocabulary)
    {
        ProblemList problems = new(Source);
        Check(vocabulary, problems);
        problems.ThrowIfAny();
        return vocabulary.Model switch
        {
            "gpt2" => ByteLevel(vocabulary, problems),
            "llama" => Pieces(vocabulary, isUnigram: false, problems),
            "t5" => Pieces(vocabulary, isUnigram: true, problems),
            "bert" => WordPieces(vocabulary),
            _ => throw new TokenizerException(
                Source, $"tokenizer.ggml.model: the kind \"{vocabulary.Model}\" is unknown; known are gpt2 (byte-level BPE), llama (SentencePiece BPE), t5 (Unigram) and bert (WordPiece)"),
        };
    }

    private static void Check(GgufVocabulary vocabulary, ProblemList problems)
    {
        int count = vocabulary.Tokens.Count;
        if (count == 0)
            problems.Add("tokenizer.ggml.tokens: is missing or empty");
        if (count > Limits.LargestTokenId)
            problems.Add($"tokenizer.ggml.tokens: {count} tokens are too many; at most {Limits.LargestTokenId} are read");
        for (int id = 0; id < count; id++)
            if (vocabulary.Tokens[id].Length > Limits.LongestToken)
                problems.Add($"tokenizer.ggml.tokens[{id}]: {vocabulary.Tokens[id].Length} characters; at most {Limits.LongestToken} are read");
        if (vocabulary.Scores.Count != 0 && vocabulary.Scores.Count != count)
            problems.Add($"tokenizer.ggml.scores: expected {count}, one for each token, found {vocabulary.Scores.Count}");
        if (vocabulary.TokenTypes.Count != 0 && vocabulary.TokenTypes.Count != count)
            problems.Add($"tokenizer.ggml.token_type: expected {count}, one for each token, found {vocabulary.TokenTypes.Count}");
    }

    private static Tokenizer ByteLevel(GgufVocabulary source, ProblemList problems)
    {
        GgufWordPatterns? patterns = GgufWordPatterns.Find(source.Pre);
        if (patterns is null)
            problems.Add($"tokenizer.ggml.pre: the word pattern \"{source.Pre}\" is unknown; known are {string.Join(", ", GgufWordPatterns.Names)}");
        if (source.Merges.Count == 0)
            problems.Add("tokenizer.ggml.merges: is missing or empty");
        Vocabulary vocabulary = VocabularyOf(source.Tokens);
        MergeTable merges = MergeReader.Read(source.Merges, vocabulary, (index, what) => problems.Add($"tokenizer.ggml.merges[{index}]: {what}"));
        problems.ThrowIfAny();

        BpeModel model = new(vocabulary, merges, new BpeOptions { IgnoreMerges = patterns!.IgnoreMerges }, readBytes: true);
        ByteLevelPreTokenizer bytes = new(addPrefixSpace: source.AddSpacePrefix ?? false, useRegex: false);
        List<PreTokenizer> steps =
            [.. patterns.Expressions.Select(e => new SplitPreTokenizer(WordPatterns.For(e), SplitBehavior.Isolated, invert: false))];
        steps.Add(model.ReadsBytes ? bytes.WithoutSpelling() : bytes);
        List<AddedToken> added = AddedTokens(source);
        Normalizer? normalizer = patterns.Composes ? new UnicodeFormNormalizer(compose: true, compatible: false) : null;
        return new(new TokenizerParts
        {
            Encoder = new PieceEncoder(normalizer, [.. steps], model, added),
            AddedTokens = added,
            Template = Template(source, addBos: patterns.AddBos, addEos: false),
            Decoding = (tokenizer, skipSpecial) => new StagedDecoding(
                id => skipSpecial && tokenizer.IsSpecial(id) ? null : tokenizer.TokenOf(id), next => new ByteLevelStage(next)),
            BosToken = Named(source, source.BosId),
            EosToken = Named(source, source.EosId),
            PadToken = Named(source, source.PadId),
            UnknownToken = Named(source, source.UnkId),
        });
    }

    private static Tokenizer Pieces(GgufVocabulary source, bool isUnigram, ProblemList problems)
    {
        SentencePiece[] pieces = new SentencePiece[source.Tokens.Count];
        for (int id = 0; id < pieces.Length; id++)
            pieces[id] = new(source.Tokens[id], source.Scores.Count > 0 ? source.Scores[id] : 0, TypeOf(source, id));
        SentencePieceModel model = new()
        {
            Pieces = pieces,
            IsUnigram = isUnigram,
            ByteFallback = pieces.Any(p => p.Type == PieceType.Byte),
            AddDummyPrefix = source.AddSpacePrefix ?? true,
            RemoveExtraWhitespaces = source.RemoveExtraWhitespaces ?? false,
            CharacterMap = CharacterMap.Read(source.PrecompiledCharsmap.Span, what => problems.Add($"tokenizer.ggml.precompiled_charsmap: {what}")),
            UnknownId = Valid(source, source.UnkId) ?? Array.FindIndex(pieces, p => p.Type == PieceType.Unknown),
            BosId = Valid(source, source.BosId) ?? -1,
            EosId = Valid(source, source.EosId) ?? -1,
            PadId = Valid(source, source.PadId) ?? -1,
        };
        SentencePieceFile.Check(model, problems);
        problems.ThrowIfAny();
        return SentencePieceTokenizer.Make(
            model, AddedTokens(source), Template(source, addBos: !isUnigram, addEos: isUnigram),
            Named(source, source.BosId), Named(source, source.EosId), Named(source, source.PadId));
    }

    /// <summary>GGUF marks the begin of words, BERT their continuation.</summary>
    private static Tokenizer WordPieces(GgufVocabulary source)
    {
        string Restore(string token)
        {
            if (token.StartsWith('[') && token.EndsWith(']'))
                return token;
            return token.StartsWith(SentencePieceModel.Mark) ? token[1..] : "##" + token;
        }
        string? Restored(int? id) => Named(source, id) is { } token ? Restore(token) : null;
        return WordPieceVocabulary.Build(
            VocabularyOf([.. source.Tokens.Select(Restore)]), Source, lowercase: true,
            TokenizerSettings.ForWordPiece(
                Restored(source.UnkId), Restored(source.ClassifierId ?? source.BosId), Restored(source.SeparatorId ?? source.EosId), Restored(source.PadId)));
    }

    private static List<AddedToken> AddedTokens(GgufVocabulary source)
    {
        bool stripRight = source.Name is { } name
            && (name.Contains("phi-3", StringComparison.OrdinalIgnoreCase) || name.Contains("phi3", StringComparison.OrdinalIgnoreCase));
        List<AddedToken> added = [];
        for (int id = 0; id < source.Tokens.Count; id++)
        {
            string token = source.Tokens[id];
            PieceType type = TypeOf(source, id);
            bool special = type is PieceType.Control or PieceType.Unknown;
            // runs of blanks in SentencePiece's spelling are found after the blanks of the text have got it too
            if (token.Length == 0 || !(special || (type == PieceType.UserDefined && !token.Contains(SentencePieceModel.Mark, StringComparison.Ordinal))))
                continue;
            bool strips = stripRight && token is not ("<unk>" or "<s>" or "<|endoftext|>");
            bool isMask = token == "<mask>" && source.Pre?.StartsWith("jina-v2-", StringComparison.Ordinal) == true;
            added.Add(new(id, token, StripLeft: isMask, StripRight: strips, Special: special));
        }
        return added;
    }

    /// <summary>What goes around a text, unless the file says otherwise.</summary>
    public static SpecialTokenTemplate Template(GgufVocabulary source, bool addBos, bool addEos)
    {
        int[] before = (source.AddBos ?? addBos) && Valid(source, source.BosId) is { } bos ? [bos] : [];
        int[] after = (source.AddEos ?? addEos) && Valid(source, source.EosId) is { } eos ? [eos] : [];
        return SpecialTokenTemplate.Around(before, after);
    }

    private static Vocabulary VocabularyOf(IReadOnlyList<string> tokens)
    {
        VocabularyBuilder builder = new(tokens.Count);
        for (int id = 0; id < tokens.Count; id++)
            builder.Add(tokens[id], id);
        return builder.Build([.. tokens]);
    }

    private static PieceType TypeOf(GgufVocabulary source, int id) =>
        source.TokenTypes.Count > 0 ? (PieceType)source.TokenTypes[id] : PieceType.Normal;

    private static int? Valid(GgufVocabulary source, int? id) => id is { } value && (uint)value < (uint)source.Tokens.Count ? id : null;

    private static string? Named(GgufVocabulary source, int? id) => Valid(source, id) is { } value ? source.Tokens[value] : null;
}
