using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>
/// Where a model lies and what lies there: weights, tokenizer, chat template, end tokens. Nothing is read before it is asked for.
/// </summary>
public sealed class ModelFiles
{
    private const long LongestTemplate = 4 << 20;

    private readonly Lazy<GgufMetadata> _metadata;

    private ModelFiles(string name, string path, bool isGguf)
    {
        Name = name;
        Path = path;
        IsGguf = isGguf;
        _metadata = new Lazy<GgufMetadata>(() =>
        {
            using GgufFile file = GgufFile.Open(path);
            GgufDecoder.RefuseAdapter(file.Metadata, path);
            return file.Metadata;
        });
    }

    /// <summary>What the user called it.</summary>
    public string Name { get; }

    /// <summary>A folder, a file, or <c>random:NAME</c>.</summary>
    public string Path { get; }

    /// <summary>True for one GGUF file, which holds everything.</summary>
    public bool IsGguf { get; }

    /// <summary>True for random weights, which have neither text nor end.</summary>
    public bool IsRandom => Path.StartsWith(RandomWeights.Prefix, StringComparison.Ordinal);

    /// <summary>True for a folder.</summary>
    public bool IsFolder => !IsGguf && !IsRandom && Directory.Exists(Path);

    /// <summary>True for a folder whose configuration names a quantisation.</summary>
    public bool IsQuantized => IsFolder && File.Exists(System.IO.Path.Combine(Path, "config.json")) && JsonConfig.Load(System.IO.Path.Combine(Path, "config.json")).Has("quantization_config");

    /// <summary>
    /// Finds a model: a folder, a file, <c>random:NAME</c>, or <c>ORG/NAME[@REVISION]</c> in the hub's cache, where <c>lorikeet pull</c> and other
    /// programs of the hub put what they download.
    /// </summary>
    /// <param name="name">What the user wrote.</param>
    /// <param name="cache">The hub's cache; that of the environment where null.</param>
    /// <exception cref="InputException">There is nothing of that name.</exception>
    public static ModelFiles Find(string name, HubCache? cache = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.StartsWith(RandomWeights.Prefix, StringComparison.Ordinal) || Directory.Exists(name))
            return new ModelFiles(name, name, isGguf: false);
        if (File.Exists(name))
            return new ModelFiles(name, name, IsGgufFile(name));
        if (InCache(name, cache) is { } folder)
            return new ModelFiles(name, folder, isGguf: false);
        throw new InputException($"{name}: there is no such folder or file, nor a repository of this name in the hub's cache. `lorikeet pull ORG/NAME` downloads one, {RandomWeights.Prefix}NAME makes one of random weights");
    }

    /// <summary>Loads the weights of a causal language model.</summary>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">They are missing or do not fit, or the model predicts no tokens; every problem is listed.</exception>
    public CausalLm LoadModel(ModelStorage? storage = null) => ModelLoader.Load(Path, storage);

    /// <summary>Loads the weights of a model with whatever head.</summary>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">They are missing or do not fit; every problem is listed.</exception>
    public LanguageModel LoadAnyModel(ModelStorage? storage = null) => ModelLoader.LoadAny(Path, storage);

    /// <summary>Loads the tokenizer.</summary>
    /// <param name="other">A folder or file to take it from instead.</param>
    /// <exception cref="InputException">Random weights have none, or GGUF metadata are broken.</exception>
    /// <exception cref="TokenizerException">It is missing or broken; every problem is listed.</exception>
    public Tokenizer LoadTokenizer(string? other = null)
    {
        if (other is not null)
            return other.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? Find(other).LoadTokenizer() : Tokenizer.Load(other);
        if (IsRandom)
            throw new InputException($"{Name}: random weights have no tokenizer; give a model folder or a GGUF file where text is read or written");
        return IsGguf ? Tokenizer.FromGguf(GgufText.Vocabulary(_metadata.Value, Path)) : Tokenizer.Load(Path);
    }

    /// <summary>Loads the chat templates: those of the folder or of the GGUF metadata, or the one file of a template.</summary>
    /// <param name="other">A file with a template to take instead; its special tokens are the tokenizer's.</param>
    /// <param name="tokenizer">The tokenizer, where <paramref name="other"/> is given.</param>
    /// <returns>Null where there is none, as base models have none.</returns>
    /// <exception cref="InputException">The file cannot be read.</exception>
    /// <exception cref="TemplateException">A template is broken.</exception>
    public ModelChatTemplates? LoadChatTemplates(string? other = null, Tokenizer? tokenizer = null)
    {
        if (other is not null)
            return OneTemplate(other, SpecialTokens(tokenizer));
        if (IsRandom)
            return null;
        if (IsGguf)
            return GgufText.ChatTemplates(_metadata.Value, Path);
        if (IsFolder)
            return ChatTemplate.FromModelFolder(Path);
        return Path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? ChatTemplate.FromModelFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!)
            : OneTemplate(Path, ChatTemplateVariables.None);
    }

    /// <summary>
    /// The tokens that end a text: those of <c>generation_config.json</c> (or <c>config.json</c> where that names none) and of the tokenizer; of a GGUF
    /// file its end of sequence, of turn and of message.
    /// </summary>
    /// <exception cref="InputException">A file is broken.</exception>
    public IReadOnlyList<int> EndTokens(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        SortedSet<int> ends = [];
        if (tokenizer.EosId is { } eos)
            ends.Add(eos);
        if (IsGguf)
            ends.UnionWith(GgufText.EndTokens(_metadata.Value));
        else if (IsFolder)
            ends.UnionWith(EndTokensOf("generation_config.json") is { Count: > 0 } configured ? configured : EndTokensOf("config.json"));
        return [.. ends];
    }

    /// <summary>Tokenizer, chat templates and end tokens of a GGUF file as a model's folder has them, or why not; nothing for a folder, where they lie beside the weights already.</summary>
    /// <exception cref="InputException">The file cannot be read.</exception>
    public ModelText Text() => IsGguf ? GgufText.Folder(_metadata.Value, Path) : new ModelText([]);

    /// <summary>What a GGUF file of this model says beside its sizes: name, tokenizer, chat templates.</summary>
    /// <exception cref="TokenizerException">The tokenizer is broken, or no GGUF file can say what it does.</exception>
    internal IEnumerable<KeyValuePair<string, object>> GgufMetadata()
    {
        if (IsGguf)
            return GgufText.Copy(_metadata.Value);
        string name = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path.Replace(RandomWeights.Prefix, "", StringComparison.Ordinal)));
        return IsFolder && HasTokenizer
            ? GgufText.Write(name, GgufVocabulary.FromFolder(Path), EndTokens(LoadTokenizer()), LoadChatTemplates())
            : [new("general.name", name), new("tokenizer.ggml.model", "no_vocab")];
    }

    private bool HasTokenizer => File.Exists(System.IO.Path.Combine(Path, "tokenizer.json")) || File.Exists(System.IO.Path.Combine(Path, "tokenizer.model"));

    /// <summary>How the model's makers would have it write: the sampling options of <c>generation_config.json</c>, or the likeliest token where there are none.</summary>
    /// <exception cref="InputException">The file is broken, or its values have no meaning.</exception>
    public SamplingOptions Sampling() => IsFolder ? GenerationConfig.Sampling(System.IO.Path.Combine(Path, "generation_config.json")) : new SamplingOptions();

    // one number or a list of numbers
    private List<int> EndTokensOf(string file)
    {
        string path = System.IO.Path.Combine(Path, file);
        if (!File.Exists(path) || JsonConfig.Load(path).Root["eos_token_id"] is not { } value)
            return [];
        JsonNode?[] items = value is JsonArray list ? [.. list] : [value];
        List<int> ids = [];
        foreach (JsonNode? item in items)
        {
            if (item is not JsonValue number || number.GetValueKind() != JsonValueKind.Number || !number.TryGetValue(out int id))
                throw new InputException($"{path}: eos_token_id: a token number or a list of them was expected, found {item?.ToJsonString() ?? "null"}");
            ids.Add(id);
        }
        return ids;
    }

    private static ChatTemplateVariables SpecialTokens(Tokenizer? tokenizer)
    {
        Dictionary<string, TemplateValue> tokens = new(StringComparer.Ordinal);
        foreach ((string name, string? token) in ((string, string?)[])[("bos_token", tokenizer?.BosToken), ("eos_token", tokenizer?.EosToken), ("pad_token", tokenizer?.PadToken)])
        {
            if (token is not null)
                tokens.Add(name, token);
        }
        return new ChatTemplateVariables { All = tokens };
    }

    private static ModelChatTemplates OneTemplate(string path, ChatTemplateVariables variables)
    {
        try
        {
            return new FileInfo(path).Length <= LongestTemplate
                ? new ModelChatTemplates(new Dictionary<string, ChatTemplate> { [ModelChatTemplates.DefaultName] = ChatTemplate.Parse(File.ReadAllText(path), path) }, variables)
                : throw new InputException($"{path}: is no chat template; it has more than {LongestTemplate} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    private static bool IsGgufFile(string path)
    {
        try
        {
            if (GgufDecoder.IsGguf(path))
                return true;
            return path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
                ? throw new InputException($"{path}: is no GGUF file: it {(new FileInfo(path).Length == 0 ? "is empty" : "does not begin with the letters GGUF")}")
                : false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    private static string? InCache(string name, HubCache? cache)
    {
        if (System.IO.Path.IsPathRooted(name) || name.StartsWith('.') || name.Contains('\\', StringComparison.Ordinal))
            return null;
        HubRepository repository;
        try
        {
            repository = HubRepository.Parse(name);
        }
        catch (InputException)
        {
            return null; // a path with several levels, for instance: the caller says what was looked for
        }
        return (cache ?? new HubCache(new HubOptions().CacheFolder)).Find(repository)?.Folder;
    }
}
