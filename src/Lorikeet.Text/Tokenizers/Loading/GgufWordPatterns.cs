namespace Lorikeet.Text;

/// <summary>What the values of <c>tokenizer.ggml.pre</c> stand for: the word patterns of the models that they are named after.</summary>
/// <param name="Expressions">Applied one after the other, each within the pieces that the one before left.</param>
/// <param name="IgnoreMerges">A word that is a token as a whole is taken as it is.</param>
/// <param name="AddBos">A sequence begins with its token unless the file says otherwise.</param>
/// <param name="Composes">The text is put into Normalization Form C first.</param>
internal sealed record GgufWordPatterns(string[] Expressions, bool IgnoreMerges = false, bool AddBos = false, bool Composes = false)
{
    private const string Number = @"\p{N}";
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Capitals = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";
    private const string Smalls = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Blanks = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Lead = @"[^\r\n\p{L}\p{N}]?";
    private const string DeepSeekWords =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + Blanks;

    private static readonly string Llama3 = Cl100kWordPattern.SourcesFor(3)[0];
    private static readonly string Qwen2 = Cl100kWordPattern.SourcesFor(1)[0];
    private static readonly string Gpt2 = Gpt2WordPattern.Source;
    private static readonly string Gpt4o =
        $@"{Lead}{Capitals}*{Smalls}+{Contractions}?|{Lead}{Capitals}+{Smalls}*{Contractions}?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{Blanks}";

    private static readonly string[] BestKnown = ["gpt-2", "smollm", "llama-bpe", "dbrx", "qwen2"];
    private static readonly Dictionary<string, GgufWordPatterns> ByName = MakeTable();

    /// <summary>The names in use.</summary>
    public static IEnumerable<string> Names => ByName.Keys.Order(StringComparer.Ordinal);

    /// <summary>The patterns of a name; a file without one has those called default. Null where the name is unknown.</summary>
    public static GgufWordPatterns? Find(string? name) => ByName.GetValueOrDefault(string.IsNullOrEmpty(name) ? "default" : name);

    /// <summary>The name that stands for these patterns, the best known of several; null where there is none.</summary>
    public static string? NameOf(IReadOnlyList<string> expressions, bool ignoreMerges, bool composes)
    {
        string[] spelled = [.. expressions.Select(Spelling)];
        return BestKnown.Concat(Names).FirstOrDefault(name =>
            ByName[name] is { } known && known.IgnoreMerges == ignoreMerges && known.Composes == composes && known.Expressions.SequenceEqual(spelled));
    }

    // Llama 3's pattern and its kin are spelled in two ways
    private static string Spelling(string expression)
    {
        foreach (int digits in (ReadOnlySpan<int>)[1, 2, 3])
        {
            string[] sources = Cl100kWordPattern.SourcesFor(digits);
            if (sources.Contains(expression))
                return sources[0];
        }
        return expression;
    }

    private static Dictionary<string, GgufWordPatterns> MakeTable()
    {
        Dictionary<string, GgufWordPatterns> table = new(StringComparer.Ordinal);
        void Add(GgufWordPatterns patterns, params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
                table.Add(name, patterns);
        }

        Add(new([@"[\p{P}\$\+<=>\^~\|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"]), "default");
        Add(new([Gpt2]), "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code", "gigachat", "a.x-4.0",
            "mellum", "modern-bert", "roberta-bpe", "jais", "trillion", "granite-docling", "exaone4");
        Add(new([Gpt2], Composes: true), "mpt", "olmo");
        Add(new([Number, Gpt2]), "starcoder", "refact", "smollm", "codeshell", "exaone", "minerva-7b");
        Add(new([Number, Gpt2], Composes: true), "command-r");
        Add(new([@"[\p{P}\$\+<=>\^~\|`]+", Gpt2, "[0-9][0-9][0-9]"]), "falcon");
        Add(new([Llama3], IgnoreMerges: true, AddBos: true), "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2");
        Add(new([Llama3]), "dbrx", "smaug-bpe", "glm4", "chatglm-bpe");
        Add(new([Qwen2], Composes: true), "qwen2", "deepseek-r1-qwen");
        Add(new([Qwen2]), "stablelm2", "megrez", "hunyuan", "solar-open", "grok-2");
        Add(
            new([$@"{Contractions}|{Lead}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{Blanks}"], Composes: true), "qwen35");
        Add(new([@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DeepSeekWords]), "deepseek-v3", "hunyuan-dense", "joyai-llm");
        Add(new([@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", @"[一-龥ࠀ-一가-\uD7FF]+", Number]), "deepseek-coder");
        Add(
            new([@"[\r\n]", $@"\s?[{DeepSeekLetters}]+", @"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", @"\s+$", @"[一-龥ࠀ-一가-\uD7FF]+", @"\p{N}+"]),
            "deepseek-llm");
        Add(new([@" ?[^(\s|.,!?…。，、।۔،)]+"]), "poro-chat", "bloom", "gpt3-finnish");
        Add(new([@" ?[^(\s|.,!?…。，、।۔،)]+", Number]), "viking");
        Add(
            new([$@"{Lead}{Capitals}*{Smalls}+|{Lead}{Capitals}+{Smalls}*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{Blanks}"], IgnoreMerges: true, AddBos: true),
            "tekken");
        Add(new([Gpt4o]), "gpt-4o", "llama4", "kanana2", "minimax-m2");
        Add(new([@"\d{1,3}(?=(?:\d{3})*\b)", Gpt4o]), "tiny_aya");
        Add(new([@"\p{N}+", @"(?=(\d{3})+(?!\d))"]), "superbpe");
        Add(
            new([$@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{{L}}\p{{N}}]?+\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"]),
            "bailingmoe", "bailingmoe2", "llada-moe");
        Add(new([$@"{Contractions}|{Lead}\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{Blanks}"]), "seed-coder");
        Add(
            new([$@"{Contractions}|{Lead}(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"]),
            "exaone-moe");
        Add(
            new(["<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", @"([\t\n]|    |  )", Number, @"[\p{P}!-/:-@\[-`{-~]", Gpt2], AddBos: true),
            "chameleon");
        return table;
    }

    /// <summary>The letters with case that DeepSeek LLM's pattern lists one by one; those that normalisation would change are escaped.</summary>
    private const string DeepSeekLetters =
        @"A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\u1F5F-\u1F7D\u1F80-\u1FB4"
        + @"\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC"
        + @"ℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-\u212Dℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";
}
