using System.Text;
using System.Text.Json;

namespace Lorikeet.Text;

/// <summary>Finds chat templates and special tokens among the files of a model in the layout of the Hugging Face hub.</summary>
internal sealed class ModelChatTemplateFiles
{
    private const int MaxFileBytes = 64 * 1024 * 1024;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _folder;
    private readonly Dictionary<string, ChatTemplate> _templates = [];

    private ModelChatTemplateFiles(string folder) => _folder = folder;

    public static ModelChatTemplates? Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder to look for a chat template in");
        ModelChatTemplateFiles files = new(folder);
        JsonElement? config = files.Json("tokenizer_config.json");
        files.FindTemplates(config);
        return files._templates.Count == 0 ? null : new ModelChatTemplates(files._templates, files.Variables(config));
    }

    // A file of its own comes before tokenizer_config.json, where older models have their template.
    private void FindTemplates(JsonElement? config)
    {
        string extra = Path.Combine(_folder, "additional_chat_templates");
        if (Directory.Exists(extra))
        {
            foreach (string file in Directory.EnumerateFiles(extra, "*.jinja").Order(StringComparer.Ordinal))
                Add(Path.GetFileNameWithoutExtension(file), Text(file), file);
        }
        string own = Path.Combine(_folder, "chat_template.jinja");
        if (File.Exists(own))
            Add(ModelChatTemplates.DefaultName, Text(own), own);
        else if (Json("chat_template.json") is { } json && Property(json, "chat_template") is { } inJson)
            AddAll(inJson, Path.Combine(_folder, "chat_template.json"));
        else if (config is { } c && Property(c, "chat_template") is { } inConfig)
            AddAll(inConfig, Path.Combine(_folder, "tokenizer_config.json"));
    }

    // One template, or several: [{"name": …, "template": …}, …] or {name: template, …}.
    private void AddAll(JsonElement value, string file)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Add(ModelChatTemplates.DefaultName, value.GetString()!, file);
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                    AddNamed(property.Name, property.Value, file);
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    if (Property(item, "name") is not { ValueKind: JsonValueKind.String } name || Property(item, "template") is not { } template)
                        throw Broken(file, "each item of chat_template must be an object with \"name\" and \"template\"");
                    AddNamed(name.GetString()!, template, file);
                }
                break;
            default:
                throw Broken(file, $"chat_template is a JSON {value.ValueKind}; expected a string, or a list of named templates");
        }
    }

    private void AddNamed(string name, JsonElement template, string file)
    {
        if (template.ValueKind != JsonValueKind.String)
            throw Broken(file, $"the chat template '{name}' is a JSON {template.ValueKind}; expected a string");
        Add(name, template.GetString()!, $"{file} ({name})");
    }

    private void Add(string name, string source, string place) => _templates[name] = ChatTemplate.Parse(source, place);

    private ChatTemplateVariables Variables(JsonElement? config)
    {
        Dictionary<string, TemplateValue> tokens = [];
        foreach (JsonElement? source in new[] { Json("special_tokens_map.json"), config })
        {
            if (source is not { ValueKind: JsonValueKind.Object } json)
                continue;
            AddTokens(json, tokens);
            if (Property(json, "extra_special_tokens") is { ValueKind: JsonValueKind.Object } extra)
                AddTokens(extra, tokens);
        }
        return new ChatTemplateVariables { All = tokens };
    }

    private static void AddTokens(JsonElement json, Dictionary<string, TemplateValue> tokens)
    {
        foreach (JsonProperty property in json.EnumerateObject())
        {
            if (property.Name.EndsWith("_token", StringComparison.Ordinal) && Content(property.Value) is { } token)
                tokens[property.Name] = token;
            else if (property.Name == "additional_special_tokens" && property.Value.ValueKind == JsonValueKind.Array)
                tokens[property.Name] = new TemplateValue(new PythonList([.. property.Value.EnumerateArray().Select(Content).OfType<string>()]));
        }
    }

    // A token is its text, or an object that also says how it is matched.
    private static string? Content(JsonElement token) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetString(),
        JsonValueKind.Object => Property(token, "content") is { ValueKind: JsonValueKind.String } content ? content.GetString() : null,
        _ => null,
    };

    private static JsonElement? Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private JsonElement? Json(string name)
    {
        string path = Path.Combine(_folder, name);
        if (!File.Exists(path))
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(Text(path));
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new TemplateException(TemplateErrorKind.Syntax, "this is not JSON: " + error.Message, path, (int)(error.LineNumber ?? -1) + 1);
        }
    }

    private static string Text(string path)
    {
        if (new FileInfo(path).Length > MaxFileBytes)
            throw Broken(path, $"the file is larger than {MaxFileBytes >> 20} MiB");
        try
        {
            return File.ReadAllText(path, Utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Broken(path, "the file is not UTF-8 text");
        }
    }

    private static TemplateException Broken(string file, string reason) => new(TemplateErrorKind.Syntax, reason, file, 0);
}
