using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Formats;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>
/// What a folder made of a model says about text, beside what <see cref="Models.ModelFolder"/> copies: tokenizer, chat templates, end tokens. It is made once, before any
/// work, and written as often as something is saved.
/// </summary>
public sealed class ModelText
{
    private const string XlmRoberta = "sentencepiece.bpe.model";
    private static readonly string[] Tokenizers = ["tokenizer.json", "tokenizer.model", "spiece.model", XlmRoberta, "vocab.json", "merges.txt", "vocab.txt", "tokenizer.bin"];
    private static readonly string[] Settings = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
    private static readonly string[] Templates = ["chat_template.jinja", "chat_template.json"];
    private const string TemplateFolder = "additional_chat_templates";

    private readonly Dictionary<string, byte[]> _files;
    private readonly bool _replaces;

    /// <summary>Files by name, which go beside those that are there.</summary>
    internal ModelText(Dictionary<string, byte[]> files, string? missing = null) : this(files, missing, replaces: false) { }

    private ModelText(Dictionary<string, byte[]> files, string? missing, bool replaces)
    {
        _files = files;
        _replaces = replaces;
        Missing = missing;
    }

    /// <summary>Why there is no tokenizer; null where there is one, or none was looked for.</summary>
    public string? Missing { get; }

    /// <summary>Of a tokenizer and of templates of which one is not the model's own: together they take the place of what it has.</summary>
    /// <param name="tokenizer">Its folder or file.</param>
    /// <param name="templates">The chat templates, or null.</param>
    /// <param name="ends">Tokens that end a text; null where the model's folder names them.</param>
    /// <exception cref="InputException">A file cannot be read.</exception>
    public static ModelText Of(string tokenizer, ModelChatTemplates? templates, IReadOnlyList<int>? ends)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ModelText? converted = ModelFiles.Find(tokenizer) is { IsGguf: true } gguf ? gguf.Text() : null;
        Dictionary<string, byte[]> files = converted?._files ?? FilesOf(tokenizer);
        // its own templates are not those that it was used with
        foreach (string name in files.Keys.Where(name => name.StartsWith(TemplateFolder, StringComparison.Ordinal)).ToArray())
            files.Remove(name);
        if (files.TryGetValue(Settings[0], out byte[]? settings) && JsonConfig.Parse(settings, tokenizer) is var config && config.Root.Remove("chat_template"))
            files[Settings[0]] = Bytes(config.Root);
        foreach ((string name, ChatTemplate template) in templates?.Templates ?? new Dictionary<string, ChatTemplate>())
        {
            if (name == ModelChatTemplates.DefaultName)
                files[Templates[0]] = Encoding.UTF8.GetBytes(template.Source);
            else if (IsFileName(name))
                files[TemplateFile(name)] = Encoding.UTF8.GetBytes(template.Source);
        }
        files.Remove("generation_config.json");
        if (ends is { Count: > 0 })
            files["generation_config.json"] = Generation(ends);
        return new ModelText(files, converted?.Missing, replaces: true);
    }

    /// <summary>Writes the files.</summary>
    /// <param name="folder">Receives them; what it has of another tokenizer goes where this one takes its place.</param>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public void WriteInto(string folder)
    {
        if (_replaces)
        {
            foreach (string name in (IEnumerable<string>)[.. Tokenizers, .. Settings, .. Templates])
                File.Delete(Path.Combine(folder, name));
            if (Directory.Exists(Path.Combine(folder, TemplateFolder)))
                Directory.Delete(Path.Combine(folder, TemplateFolder), recursive: true);
        }
        foreach ((string name, byte[] bytes) in _files)
            AtomicFile.WriteBytes(Path.Combine(folder, name), bytes);
    }

    /// <summary>Where a folder has a template of another name than the usual.</summary>
    internal static string TemplateFile(string name) => Path.Combine(TemplateFolder, name + ".jinja");

    // a name that is no plain word would be a path to somewhere else
    internal static bool IsFileName(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    internal static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(PythonJson.Write(json, JsonStyle.ModelConfig));

    internal static byte[] Generation(IEnumerable<int> ends) => Bytes(new JsonObject { ["eos_token_id"] = new JsonArray([.. ends.Select(id => JsonValue.Create(id))]) });

    private static Dictionary<string, byte[]> FilesOf(string tokenizer)
    {
        Dictionary<string, byte[]> files = new(StringComparer.Ordinal);
        bool isFolder = Directory.Exists(tokenizer);
        string folder = isFolder ? tokenizer : Path.GetDirectoryName(Path.GetFullPath(tokenizer))!;
        foreach (string name in (IEnumerable<string>)[.. Settings, .. isFolder ? Tokenizers : Beside(folder, Path.GetFileName(tokenizer))])
            Add(name, Path.Combine(folder, name));
        if (!isFolder)
            Add(NameOf(folder, Path.GetFileName(tokenizer)), tokenizer);
        return files;

        void Add(string name, string path)
        {
            try
            {
                if (File.Exists(path))
                    files[name] = File.ReadAllBytes(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"{path}: cannot be read ({e.Message})", e);
            }
        }
    }

    // a list of words and one of merges belong together
    private static string[] Beside(string folder, string name) => NameOf(folder, name) is "vocab.json" or "merges.txt" ? ["vocab.json", "merges.txt"] : [];

    // what a folder must call it to be found, which it is not by XLM-R's name
    private static string NameOf(string folder, string name) => Tokenizers.Contains(name) && name != XlmRoberta ? name : Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".json" => File.Exists(Path.Combine(folder, "merges.txt")) ? "vocab.json" : "tokenizer.json",
        ".txt" => "vocab.txt",
        ".bin" => "tokenizer.bin",
        _ => "tokenizer.model",
    };
}
