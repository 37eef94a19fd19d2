using System.Text;

namespace Lorikeet.Text;

/// <summary>Reads <c>vocab.txt</c>, BERT's vocabulary: a token a line, numbered from 0.</summary>
internal static class WordPieceVocabulary
{
    private const string Unknown = "[UNK]";
    private const string Prefix = "##";
    private const int LongestWord = 100;

    /// <summary>Builds the tokenizer of a file.</summary>
    /// <exception cref="TokenizerException">The file is absent or is no such vocabulary.</exception>
    public static Tokenizer Load(string path, TokenizerSettings settings)
    {
        string[] lines = Encoding.UTF8.GetString(TokenizerFiles.ReadAll(path)).Split('\n');
        VocabularyBuilder builder = new(lines.Length);
        int count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        for (int id = 0; id < count; id++)
            builder.Add(lines[id].TrimEnd('\r'), id);
        ProblemList problems = new(path);
        builder.Check(problems, "the vocabulary");
        problems.ThrowIfAny();
        return Build(builder.Build(count), path, settings.Lowercase ?? true, settings);
    }

    /// <summary>Builds the tokenizer of a vocabulary with BERT's conventions.</summary>
    public static Tokenizer Build(Vocabulary vocabulary, string source, bool lowercase, TokenizerSettings settings)
    {
        ProblemList problems = new(source);
        int Required(string token)
        {
            int id = vocabulary.IdOf(token);
            if (id < 0)
                problems.Add($"the token {token} is missing; is this a WordPiece vocabulary?");
            return id;
        }
        int unknown = Required(settings.UnknownToken ?? Unknown);
        int first = Required(settings.ClassifierToken ?? "[CLS]");
        int last = Required(settings.SeparatorToken ?? "[SEP]");
        problems.ThrowIfAny();

        List<AddedToken> added = [];
        settings.AddMissing(added);
        HashSet<string> known = [.. added.Select(t => t.Content)];
        foreach (string content in settings.SpecialContents.Concat(["[PAD]", Unknown, "[CLS]", "[SEP]", "[MASK]", .. Named(settings)]))
            if (vocabulary.IdOf(content) is >= 0 and int id && known.Add(content))
                added.Add(new(id, content));
        return new(new TokenizerParts
        {
            Encoder = new PieceEncoder(
                new BertNormalizer(cleanText: true, handleChineseCharacters: true, stripAccents: lowercase, lowercase),
                [new BlankPreTokenizer(), new PunctuationPreTokenizer(SplitBehavior.Isolated)],
                new WordPieceModel(vocabulary, unknown, Prefix, LongestWord),
                added),
            AddedTokens = added,
            Template = new()
            {
                Single = [new(-1, [first], 0), new(0, [], 0), new(-1, [last], 0)],
                Pair = [new(-1, [first], 0), new(0, [], 0), new(-1, [last], 0), new(1, [], 1), new(-1, [last], 1)],
            },
            Decoding = (tokenizer, skipSpecial) => new StagedDecoding(
                id => skipSpecial && tokenizer.IsSpecial(id) ? null : tokenizer.TokenOf(id), next => new WordPieceStage(Prefix, cleanup: true, next)),
            BosToken = settings.BosToken,
            EosToken = settings.EosToken,
            PadToken = settings.PadToken ?? "[PAD]",
            UnknownToken = settings.UnknownToken ?? Unknown,
        });
    }

    private static IEnumerable<string> Named(TokenizerSettings settings) =>
        new[] { settings.UnknownToken, settings.ClassifierToken, settings.SeparatorToken, settings.PadToken }.OfType<string>();
}
