using System.Globalization;
using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>
/// What the files next to a vocabulary say: <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c>.
/// </summary>
internal sealed class TokenizerSettings
{
    private readonly List<AddedToken> _added = [];

    /// <summary>No such files.</summary>
    public static TokenizerSettings None { get; } = new();

    /// <summary>Whether there were any such files.</summary>
    public bool Found { get; private set; }

    public string? TokenizerClass { get; private set; }

    public string? BosToken { get; private set; }

    public string? EosToken { get; private set; }

    public string? PadToken { get; private set; }

    public string? UnknownToken { get; private set; }

    public string? ClassifierToken { get; private set; }

    public string? SeparatorToken { get; private set; }

    public bool? AddBos { get; private set; }

    public bool? AddEos { get; private set; }

    public bool? AddPrefixSpace { get; private set; }

    public bool? Legacy { get; private set; }

    public bool? Lowercase { get; private set; }

    /// <summary>Texts of special tokens that have no number of their own.</summary>
    public List<string> SpecialContents { get; } = [];

    /// <summary>Added tokens with their numbers.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _added;

    /// <summary>Reads the files of a folder; those that are absent say nothing.</summary>
    /// <exception cref="TokenizerException">One of them is broken.</exception>
    public static TokenizerSettings Read(string? folder)
    {
        TokenizerSettings settings = new();
        if (string.IsNullOrEmpty(folder))
            return settings;
        settings.ReadFile(folder, "added_tokens.json", settings.ReadAddedTokens);
        settings.ReadFile(folder, "tokenizer_config.json", settings.ReadConfig);
        settings.ReadFile(folder, "special_tokens_map.json", settings.ReadSpecialTokens);
        return settings;
    }

    /// <summary>The special tokens that a GGUF file names for BERT's kind of tokenizer.</summary>
    public static TokenizerSettings ForWordPiece(string? unknown, string? classifier, string? separator, string? pad) => new()
    {
        UnknownToken = unknown,
        ClassifierToken = classifier,
        SeparatorToken = separator,
        PadToken = pad,
    };

    /// <summary>Adds the tokens that a list lacks.</summary>
    public void AddMissing(List<AddedToken> tokens)
    {
        HashSet<string> known = [.. tokens.Select(t => t.Content)];
        tokens.AddRange(_added.Where(t => known.Add(t.Content)));
    }

    private void ReadFile(string folder, string name, Action<JsonField> read)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
            return;
        Found = true;
        using JsonDocument document = JsonField.ReadFile(path);
        ProblemList problems = new(path);
        JsonField root = new(document.RootElement, "", problems);
        if (root.IsObject())
            read(root);
        problems.ThrowIfAny();
    }

    private void ReadConfig(JsonField root)
    {
        TokenizerClass = root["tokenizer_class"].Text();
        AddBos = OptionalFlag(root["add_bos_token"]);
        AddEos = OptionalFlag(root["add_eos_token"]);
        AddPrefixSpace = OptionalFlag(root["add_prefix_space"]);
        Legacy = OptionalFlag(root["legacy"]);
        Lowercase = OptionalFlag(root["do_lower_case"]);
        if (root["added_tokens_decoder"].IsObject())
        {
            foreach (JsonProperty entry in root["added_tokens_decoder"].Element.EnumerateObject())
            {
                JsonField token = root["added_tokens_decoder"][entry.Name];
                if (!token.IsObject())
                    continue;
                if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id > Limits.LargestTokenId)
                {
                    token.Problem("expected a token number as the key");
                    continue;
                }
                Add(ReadToken(token, id));
            }
        }
        ReadSpecialTokens(root);
    }

    private void ReadSpecialTokens(JsonField root)
    {
        BosToken ??= Content(root["bos_token"]);
        EosToken ??= Content(root["eos_token"]);
        PadToken ??= Content(root["pad_token"]);
        UnknownToken ??= Content(root["unk_token"]);
        ClassifierToken ??= Content(root["cls_token"]);
        SeparatorToken ??= Content(root["sep_token"]);
        foreach (string name in (string[])["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"])
            AddSpecial(Content(root[name]));
        if (root["additional_special_tokens"].Kind == JsonValueKind.Array)
            foreach (JsonField token in root["additional_special_tokens"].Items())
                AddSpecial(Content(token));
    }

    private void ReadAddedTokens(JsonField root)
    {
        foreach (JsonProperty entry in root.Element.EnumerateObject())
            if (entry.Name.Length > 0)
                Add(new(root[entry.Name].RequiredId(), entry.Name, Normalized: true, Special: false));
    }

    private void Add(AddedToken token)
    {
        if (token.Content.Length == 0)
            return;
        _added.RemoveAll(t => t.Content == token.Content);
        _added.Add(token);
    }

    private void AddSpecial(string? content)
    {
        if (!string.IsNullOrEmpty(content) && !SpecialContents.Contains(content))
            SpecialContents.Add(content);
    }

    private static AddedToken ReadToken(JsonField token, int id)
    {
        bool special = token["special"].Flag(false);
        return new(
            id, token["content"].RequiredText(), token["single_word"].Flag(false), token["lstrip"].Flag(false), token["rstrip"].Flag(false),
            token["normalized"].Flag(!special), special);
    }

    /// <summary>A special token is written as text or as an object with its content.</summary>
    private static string? Content(JsonField field) => field.Kind == JsonValueKind.Object ? field["content"].Text() : field.Text();

    private static bool? OptionalFlag(JsonField field) => field.Exists ? field.Flag(false) : null;
}
