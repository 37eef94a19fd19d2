using System.Text.Json;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Cli;

/// <summary>One conversation as a line of JSON.</summary>
internal static class ChatLine
{
    private static readonly string[] Known = ["messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "kwargs", "name"];

    /// <summary>Reads it.</summary>
    /// <param name="line">An object with <c>messages</c>.</param>
    /// <param name="variables">Variables of the template; those of the line's <c>kwargs</c> come first.</param>
    /// <exception cref="InputException">It is no such object; every problem is listed.</exception>
    public static ChatRequest Read(string line, IReadOnlyDictionary<string, TemplateValue> variables)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return Read(document.RootElement, variables);
        }
        catch (JsonException e)
        {
            throw new InputException($"this is not JSON ({e.Message.Split('.')[0]})", e);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new InputException($"the conversation cannot be read ({e.Message})", e);
        }
    }

    private static ChatRequest Read(JsonElement root, IReadOnlyDictionary<string, TemplateValue> variables)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InputException($"a JSON object with \"messages\" was expected, this is {root.ValueKind}");
        List<string> problems = [];
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!Known.Contains(property.Name))
                problems.Add($"\"{property.Name}\" is not known; {string.Join(", ", Known[..^1])} are. Other variables of the template belong into \"kwargs\"");
        }
        JsonElement? messages = Get("messages", JsonValueKind.Array);
        if (messages is null && problems.Count == 0)
            problems.Add("\"messages\" is missing");
        JsonElement? tools = Get("tools", JsonValueKind.Array), documents = Get("documents", JsonValueKind.Array), kwargs = Get("kwargs", JsonValueKind.Object);
        Dictionary<string, TemplateValue> all = new(variables, StringComparer.Ordinal);
        if (kwargs is { } others)
        {
            foreach (JsonProperty property in others.EnumerateObject())
                all[property.Name] = property.Value;
        }
        bool prompt = Flag("add_generation_prompt"), continues = Flag("continue_final_message");
        if (problems.Count > 0)
            throw new InputException("the conversation cannot be read", problems);
        return new ChatRequest
        {
            Messages = messages!.Value,
            Tools = tools is { } t ? t : default(TemplateValue),
            Documents = documents is { } d ? d : default(TemplateValue),
            AddGenerationPrompt = prompt,
            ContinueFinalMessage = continues,
            Variables = all,
        };

        JsonElement? Get(string name, JsonValueKind kind)
        {
            if (!root.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
                return null;
            if (value.ValueKind == kind)
                return value;
            problems.Add($"\"{name}\": {(kind == JsonValueKind.Array ? "a list" : "an object")} was expected, found {value.ValueKind}");
            return null;
        }

        bool Flag(string name)
        {
            if (!root.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False)
                return false;
            if (value.ValueKind != JsonValueKind.True)
                problems.Add($"\"{name}\": true or false was expected, found {value.ValueKind}");
            return true;
        }
    }
}
