using System.Globalization;
using System.Text.Json;

namespace Lorikeet.Text.Tests;

/// <summary>Real chat templates, conversations, and what transformers renders of them.</summary>
internal static class GoldenChatTemplates
{
    public static readonly JsonElement Index = Read("index.json");

    private static readonly Dictionary<string, JsonElement> Conversations =
        Read("conversations.json").EnumerateArray().ToDictionary(c => c.GetProperty("name").GetString()!);

    public static IEnumerable<string> ConversationNames => Conversations.Keys;

    /// <summary>File names of the templates.</summary>
    public static IEnumerable<string> Templates => Index.GetProperty("templates").EnumerateArray().Select(t => t.GetProperty("template").GetString()!);

    public static ChatTemplate Template(string file) => ChatTemplate.Parse(File.ReadAllText(GoldenData.Path("chat-templates", "templates", file)), file);

    /// <summary>Conversation name to <c>{text}</c> or <c>{error, message}</c>.</summary>
    public static JsonElement Expected(string file)
    {
        JsonElement entry = Index.GetProperty("templates").EnumerateArray().First(t => t.GetProperty("template").GetString() == file);
        return entry.TryGetProperty("same_as", out JsonElement other)
            ? Expected(other.GetString()!)
            : Read(entry.GetProperty("expected").GetString()!);
    }

    public static ChatRequest Request(string conversation)
    {
        JsonElement c = Conversations[conversation];
        Dictionary<string, TemplateValue> variables = [];
        foreach (JsonProperty token in Index.GetProperty("special_tokens").EnumerateObject())
            variables[token.Name] = token.Value;
        if (c.TryGetProperty("kwargs", out JsonElement kwargs))
        {
            foreach (JsonProperty variable in kwargs.EnumerateObject())
                variables[variable.Name] = variable.Value;
        }
        return new ChatRequest
        {
            Messages = c.GetProperty("messages"),
            Tools = c.TryGetProperty("tools", out JsonElement tools) ? tools : default(TemplateValue),
            AddGenerationPrompt = c.TryGetProperty("add_generation_prompt", out JsonElement add) && add.GetBoolean(),
            ContinueFinalMessage = c.TryGetProperty("continue_final_message", out JsonElement go) && go.GetBoolean(),
            Variables = variables,
            Now = DateTime.Parse(Index.GetProperty("clock").GetString()!, CultureInfo.InvariantCulture),
        };
    }

    public static JsonElement Read(params string[] path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(GoldenData.Path(["chat-templates", .. path])));
        return document.RootElement.Clone();
    }
}
