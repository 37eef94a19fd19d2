using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>Reads what a GGUF file says about text: the vocabulary and the tokens that end it.</summary>
internal static class GgufText
{
    private const string Prefix = "tokenizer.ggml.", Template = "tokenizer.chat_template";
    private static readonly string[] Ends = ["eos_token_id", "eot_token_id", "eom_token_id"];
    private static readonly (string Variable, string Key)[] SpecialTokens =
    [
        ("bos_token", "bos_token_id"), ("eos_token", "eos_token_id"), ("unk_token", "unknown_token_id"), ("pad_token", "padding_token_id"),
        ("sep_token", "seperator_token_id"), ("cls_token", "cls_token_id"),
    ];

    /// <summary>The vocabulary.</summary>
    /// <exception cref="InputException">The file has none, or a key holds something else.</exception>
    public static GgufVocabulary Vocabulary(GgufMetadata metadata, string file)
    {
        if (metadata.Text(Prefix + "model") is not { } model || metadata.Texts(Prefix + "tokens") is not { } tokens)
            throw new InputException($"{file}: the GGUF metadata hold no tokenizer ({Prefix}model and {Prefix}tokens)");
        return new GgufVocabulary
        {
            Model = model,
            Name = metadata.Text("general.name"),
            Pre = metadata.Text(Prefix + "pre"),
            Tokens = tokens,
            Scores = metadata.Numbers(Prefix + "scores") ?? [],
            TokenTypes = [.. (metadata.Integers(Prefix + "token_type") ?? []).Select(type => (int)type)],
            Merges = metadata.Texts(Prefix + "merges") ?? [],
            BosId = Id(metadata, "bos_token_id"),
            EosId = Id(metadata, "eos_token_id"),
            UnkId = Id(metadata, "unknown_token_id"),
            PadId = Id(metadata, "padding_token_id"),
            SeparatorId = Id(metadata, "seperator_token_id"),
            ClassifierId = Id(metadata, "cls_token_id"),
            AddBos = metadata.Flag(Prefix + "add_bos_token"),
            AddEos = metadata.Flag(Prefix + "add_eos_token"),
            AddSpacePrefix = metadata.Flag(Prefix + "add_space_prefix"),
            RemoveExtraWhitespaces = metadata.Flag(Prefix + "remove_extra_whitespaces"),
            PrecompiledCharsmap = Bytes(metadata, Prefix + "precompiled_charsmap"),
        };
    }

    /// <summary>The ends of a sequence, of a turn and of a message.</summary>
    public static IEnumerable<int> EndTokens(GgufMetadata metadata) => Ends.Select(key => Id(metadata, key)).OfType<int>();

    /// <summary>The chat templates, with the special tokens as their variables; null where there are none.</summary>
    /// <exception cref="TemplateException">A template is broken.</exception>
    public static ModelChatTemplates? ChatTemplates(GgufMetadata metadata, string file)
    {
        Dictionary<string, ChatTemplate> templates = new(StringComparer.Ordinal);
        if (metadata.Text(Template) is { } source)
            templates[ModelChatTemplates.DefaultName] = ChatTemplate.Parse(source, $"{file} ({Template})");
        foreach (string name in metadata.Texts("tokenizer.chat_templates") ?? [])
        {
            if (metadata.Text($"{Template}.{name}") is { } named)
                templates[name] = ChatTemplate.Parse(named, $"{file} ({Template}.{name})");
        }
        if (templates.Count == 0)
            return null;
        string[] tokens = metadata.Texts(Prefix + "tokens") ?? [];
        Dictionary<string, TemplateValue> variables = new(StringComparer.Ordinal);
        foreach ((string variable, string id) in SpecialTokens)
        {
            if (Id(metadata, id) is { } token && token < tokens.Length)
                variables[variable] = tokens[token];
        }
        return new ModelChatTemplates(templates, new ChatTemplateVariables { All = variables });
    }

    /// <summary>What a file says about text as the files of a model's folder: <c>tokenizer.json</c>, <c>tokenizer_config.json</c> with the chat template, templates of other names, <c>generation_config.json</c>.</summary>
    /// <returns>The files, or none and why.</returns>
    public static ModelText Folder(GgufMetadata metadata, string file)
    {
        try
        {
            return new ModelText(FolderFiles(metadata, file));
        }
        // weights are good for something without words
        catch (Exception e) when (e is TokenizerException or InputException)
        {
            return new ModelText([], e.Message);
        }
    }

    private static Dictionary<string, byte[]> FolderFiles(GgufMetadata metadata, string file)
    {
        GgufVocabulary vocabulary = Vocabulary(metadata, file);
        Dictionary<string, byte[]> files = new(StringComparer.Ordinal) { ["tokenizer.json"] = vocabulary.ToTokenizerJson() };
        // the file says what goes around a text; other classes would add to it what they are used to
        JsonObject config = new() { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false };
        foreach ((string variable, string key) in SpecialTokens)
        {
            if (Id(metadata, key) is { } id && id < vocabulary.Tokens.Count)
                config[variable] = vocabulary.Tokens[id];
        }
        if (metadata.Integer($"{metadata.Text("general.architecture")}.context_length") is { } context)
            config["model_max_length"] = context;
        if (metadata.Text(Template) is { } usual)
            config["chat_template"] = usual;
        foreach (string name in (metadata.Texts("tokenizer.chat_templates") ?? []).Where(ModelText.IsFileName))
        {
            if (metadata.Text($"{Template}.{name}") is { } other)
                files[ModelText.TemplateFile(name)] = Encoding.UTF8.GetBytes(other);
        }
        files["tokenizer_config.json"] = ModelText.Bytes(config);
        if (EndTokens(metadata).Distinct().ToArray() is { Length: > 0 } ends)
            files["generation_config.json"] = ModelText.Generation(ends);
        return files;
    }

    /// <summary>What a file says about text, for another file of the same model.</summary>
    public static IEnumerable<KeyValuePair<string, object>> Copy(GgufMetadata metadata) => metadata.Where(pair =>
        pair.Key.StartsWith("tokenizer.", StringComparison.Ordinal) || pair.Key is "general.name" or "general.basename" or "general.license" or "general.size_label");

    /// <summary>What a file says about text.</summary>
    /// <param name="name">Of the model.</param>
    /// <param name="vocabulary">Its tokenizer.</param>
    /// <param name="ends">Tokens that end a text.</param>
    /// <param name="templates">Its chat templates, or null.</param>
    public static List<KeyValuePair<string, object>> Write(string name, GgufVocabulary vocabulary, IReadOnlyList<int> ends, ModelChatTemplates? templates)
    {
        List<KeyValuePair<string, object>> all =
        [
            new("general.name", name),
            new(Prefix + "model", vocabulary.Model),
            new(Prefix + "tokens", vocabulary.Tokens.ToArray()),
            new(Prefix + "token_type", vocabulary.TokenTypes.ToArray()),
        ];
        Add("pre", vocabulary.Pre);
        Add("scores", vocabulary.Scores.Count > 0 ? vocabulary.Scores.ToArray() : null);
        Add("merges", vocabulary.Merges.Count > 0 ? vocabulary.Merges.ToArray() : null);
        Add("bos_token_id", (uint?)vocabulary.BosId);
        Add("eos_token_id", (uint?)vocabulary.EosId);
        Add("unknown_token_id", (uint?)vocabulary.UnkId);
        Add("padding_token_id", (uint?)vocabulary.PadId);
        // generation may end at another token than a document does
        Add("eot_token_id", ends.Where(id => id != vocabulary.EosId).Select(id => (uint?)id).FirstOrDefault());
        Add("add_bos_token", vocabulary.AddBos);
        Add("add_eos_token", vocabulary.AddEos);
        Add("add_space_prefix", vocabulary.AddSpacePrefix);
        Add("remove_extra_whitespaces", vocabulary.RemoveExtraWhitespaces);
        if (templates is not null)
        {
            foreach ((string key, ChatTemplate template) in templates.Templates)
                all.Add(new(key == ModelChatTemplates.DefaultName ? "tokenizer.chat_template" : "tokenizer.chat_template." + key, template.Source));
            if (templates.Templates.Keys.Where(key => key != ModelChatTemplates.DefaultName).ToArray() is { Length: > 0 } named)
                all.Add(new("tokenizer.chat_templates", named));
        }
        return all;

        void Add(string key, object? value)
        {
            if (value is not null)
                all.Add(new(Prefix + key, value));
        }
    }

    // files write -1 or 2^32 - 1 for none
    private static int? Id(GgufMetadata metadata, string key) => metadata.Integer(Prefix + key) is >= 0 and <= int.MaxValue and { } id ? (int)id : null;

    private static byte[] Bytes(GgufMetadata metadata, string key) => metadata.GetValueOrDefault(key) switch
    {
        byte[] bytes => bytes,
        sbyte[] bytes => [.. bytes.Select(value => (byte)value)],
        _ => [],
    };
}
