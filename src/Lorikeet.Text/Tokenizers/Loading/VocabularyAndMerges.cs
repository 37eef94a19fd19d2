using System.Text;
using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>
/// Reads <c>vocab.json</c> with <c>merges.txt</c>, the older form of byte-level BPE. Which words it cuts into and which special tokens it has
/// is not written in these files: <c>tokenizer_class</c> of a <c>tokenizer_config.json</c> says it, or else GPT-2 and RoBERTa are told apart
/// by their vocabularies.
/// </summary>
internal static class VocabularyAndMerges
{
    private static readonly Dictionary<string, Family> Families = new(StringComparer.Ordinal)
    {
        ["GPT2"] = new(["<|endoftext|>"], Bos: "<|endoftext|>", Eos: "<|endoftext|>", Pad: null, Around: false, Digits: 0),
        ["Roberta"] = new(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], Bos: "<s>", Eos: "</s>", Pad: "<pad>", Around: true, Digits: 0),
        ["Bart"] = new(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], Bos: "<s>", Eos: "</s>", Pad: "<pad>", Around: true, Digits: 0),
        ["Qwen2"] = new(["<|endoftext|>"], Bos: null, Eos: "<|endoftext|>", Pad: "<|endoftext|>", Around: false, Digits: 1),
    };

    /// <summary>Builds the tokenizer of two files.</summary>
    /// <exception cref="TokenizerException">One of them is absent or broken.</exception>
    public static Tokenizer Load(string vocabularyPath, string mergesPath, TokenizerSettings settings)
    {
        using JsonDocument document = JsonField.ReadFile(vocabularyPath);
        return Load(document, vocabularyPath, mergesPath, settings);
    }

    /// <summary>Builds the tokenizer of a vocabulary in memory and a file of merges.</summary>
    public static Tokenizer Load(JsonDocument document, string vocabularyPath, string mergesPath, TokenizerSettings settings)
    {
        ProblemList problems = new(vocabularyPath);
        Vocabulary? vocabulary = ModelJson.ReadVocabulary(new(document.RootElement, "", problems));
        problems.ThrowIfAny();
        Family family = Find(vocabulary!, settings, Path.GetDirectoryName(vocabularyPath) ?? vocabularyPath);

        List<string> lines = [.. Encoding.UTF8.GetString(TokenizerFiles.ReadAll(mergesPath)).Split('\n').Select(l => l.TrimEnd('\r'))];
        int heading = lines[0].StartsWith("#version", StringComparison.Ordinal) ? 1 : 0;
        List<(string Merge, int Line)> merges = [.. lines.Select((l, i) => (l, i + 1)).Skip(heading).Where(l => l.l.Length > 0)];
        ProblemList mergeProblems = new(mergesPath);
        MergeTable table = MergeReader.Read([.. merges.Select(m => m.Merge)], vocabulary!, (index, what) => mergeProblems.Add($"line {merges[index].Line}: {what}"));
        mergeProblems.ThrowIfAny();

        BpeModel model = new(vocabulary!, table, new BpeOptions(), readBytes: true);
        bool addPrefixSpace = settings.AddPrefixSpace ?? false;
        List<PreTokenizer> steps = [];
        if (family.Digits > 0)
            steps.Add(new SplitPreTokenizer(new Cl100kWordPattern(family.Digits), SplitBehavior.Isolated, invert: false));
        ByteLevelPreTokenizer bytes = new(addPrefixSpace, useRegex: family.Digits == 0);
        steps.Add(model.ReadsBytes ? bytes.WithoutSpelling() : bytes);
        List<AddedToken> added = AddedTokens(family, vocabulary!, settings);
        return new(new TokenizerParts
        {
            Encoder = new PieceEncoder(
                family.Digits > 0 ? new UnicodeFormNormalizer(compose: true, compatible: false) : null,
                [.. steps], model, added),
            AddedTokens = added,
            Template = Template(family, vocabulary!, addPrefixSpace),
            Decoding = (tokenizer, skipSpecial) => new StagedDecoding(
                id => skipSpecial && tokenizer.IsSpecial(id) ? null : tokenizer.TokenOf(id), next => new ByteLevelStage(next)),
            BosToken = settings.BosToken ?? family.Bos,
            EosToken = settings.EosToken ?? family.Eos,
            PadToken = settings.PadToken ?? family.Pad,
            UnknownToken = settings.UnknownToken,
        });
    }

    private static Family Find(Vocabulary vocabulary, TokenizerSettings settings, string folder)
    {
        string? name = settings.TokenizerClass;
        if (name is null)
            return Families[vocabulary.IdOf("<mask>") >= 0 && vocabulary.IdOf("<s>") == 0 ? "Roberta" : "GPT2"];
        name = name.Replace("TokenizerFast", "", StringComparison.Ordinal).Replace("Tokenizer", "", StringComparison.Ordinal);
        return Families.TryGetValue(name, out Family? family) ? family : throw new TokenizerException(
            Path.Combine(folder, "tokenizer_config.json"),
            $"tokenizer_class: how {settings.TokenizerClass} cuts words is not written in vocab.json and merges.txt; known are " +
            $"{string.Join(", ", Families.Keys.Select(k => k + "Tokenizer"))}; a tokenizer.json would say it");
    }

    private static List<AddedToken> AddedTokens(Family family, Vocabulary vocabulary, TokenizerSettings settings)
    {
        List<AddedToken> added = [];
        settings.AddMissing(added);
        HashSet<string> known = [.. added.Select(t => t.Content)];
        foreach (string content in settings.SpecialContents.Concat(family.Specials))
            if (vocabulary.IdOf(content) is >= 0 and int id && known.Add(content))
                added.Add(new(id, content, StripLeft: content == "<mask>"));
        return added;
    }

    private static SpecialTokenTemplate Template(Family family, Vocabulary vocabulary, bool addPrefixSpace)
    {
        if (!family.Around)
            return SpecialTokenTemplate.None;
        int[] first = [vocabulary.IdOf(family.Bos)];
        int[] last = [vocabulary.IdOf(family.Eos)];
        return new()
        {
            Single = [new(-1, first, 0), new(0, [], 0), new(-1, last, 0)],
            Pair = [new(-1, first, 0), new(0, [], 0), new(-1, [.. last, .. last], 0), new(1, [], 0), new(-1, last, 0)],
            TrimOffsets = true,
            FirstBlankIsAdded = addPrefixSpace,
        };
    }

    /// <summary>What a tokenizer class does; no digits stands for GPT-2's word pattern, a number for that of cl100k.</summary>
    private sealed record Family(string[] Specials, string? Bos, string? Eos, string? Pad, bool Around, int Digits);
}
