using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lorikeet.Formats;

namespace Lorikeet.Training;

/// <summary>Reads conversations, whichever names their fields have, into what chat templates take: <c>role</c> and <c>content</c>.</summary>
internal sealed class ChatFields(string messagesField, string? roleField, string? contentField, ProblemList problems)
{
    private static readonly FrozenDictionary<string, string> Speakers = new Dictionary<string, string>
    {
        ["human"] = "user",
        ["user"] = "user",
        ["gpt"] = "assistant",
        ["assistant"] = "assistant",
        ["chatgpt"] = "assistant",
        ["model"] = "assistant",
        ["bot"] = "assistant",
        ["system"] = "system",
        ["tool"] = "tool",
        ["observation"] = "tool",
        ["function_response"] = "tool",
        ["function_call"] = "function_call",
    }.ToFrozenDictionary();

    /// <summary>The field that holds the messages.</summary>
    public string MessagesField => messagesField;

    /// <summary>The field that names the speaker; that of the first message until one was read.</summary>
    public string RoleField { get; private set; } = roleField ?? "role";

    /// <summary>The field that holds what is said.</summary>
    public string ContentField { get; private set; } = contentField ?? "content";

    /// <summary>The conversation of a row, or null when it has problems.</summary>
    public ChatRow? Read(RowOrigin origin, JsonObject row)
    {
        if (row[messagesField] is JsonArray messages)
            return Read(origin, messages, row, 0);
        problems.Add(row.TryGetPropertyValue(messagesField, out JsonNode? other)
            ? $"{origin}: {messagesField}: found {JsonRows.Describe(other)}, expected a list of messages."
            : $"{origin}: no field '{messagesField}'; found {string.Join(", ", row.Select(field => field.Key))}.");
        return null;
    }

    /// <summary>A conversation from a list of messages, or null when it has problems.</summary>
    /// <param name="origin">Where the row stands.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="row">The row, which may hold <c>tools</c> and <c>system</c>.</param>
    /// <param name="given">Messages at the beginning that are not learned.</param>
    public ChatRow? Read(RowOrigin origin, JsonArray messages, JsonObject row, int given)
    {
        int before = problems.Count;
        JsonArray read = [];
        for (int i = 0; i < messages.Count; i++)
        {
            if (Message($"{origin}: message {i + 1}", messages[i]) is { } message)
                read.Add(message);
        }
        if (row["system"] is JsonValue system && system.TryGetValue(out string? words) && words.Length > 0 && !(read.FirstOrDefault() is JsonObject first && Role(first) == "system"))
        {
            read.Insert(0, new JsonObject { ["role"] = "system", ["content"] = words });
            given += given > 0 ? 1 : 0;
        }
        JsonArray? tools = Tools(origin, row["tools"]);
        if (problems.Count > before)
            return null;
        if (!read.Skip(given).OfType<JsonObject>().Any(message => Role(message) == "assistant"))
        {
            problems.Add(messages.Count == 0
                ? $"{origin}: found no messages, expected a conversation."
                : $"{origin}: no message of the assistant; found {string.Join(", ", read.OfType<JsonObject>().Select(Role).Distinct())}. There is nothing to learn from it.");
            return null;
        }
        return new ChatRow(origin, read, tools, given);
    }

    /// <summary>Who speaks.</summary>
    public static string Role(JsonObject message) => (string?)message["role"] ?? "";

    private JsonObject? Message(string place, JsonNode? node)
    {
        if (node is not JsonObject message)
        {
            problems.Add($"{place}: found {JsonRows.Describe(node)}, expected an object with {RoleField} and {ContentField}.");
            return null;
        }
        bool renamed = roleField is null && message.ContainsKey("from") && !message.ContainsKey("role");
        string roleKey = roleField ?? (renamed ? "from" : "role"), contentKey = contentField ?? (renamed ? "value" : "content");
        (RoleField, ContentField) = (roleKey, contentKey);
        if (message[roleKey] is not JsonValue speaker || !speaker.TryGetValue(out string? role) || role.Length == 0)
        {
            problems.Add($"{place}: {roleKey}: found {(message.ContainsKey(roleKey) ? JsonRows.Describe(message[roleKey]) : "no such field")}, expected the speaker's name.");
            return null;
        }
        JsonNode? content = message[contentKey];
        bool calls = message["tool_calls"] is JsonArray { Count: > 0 };
        if (content is not JsonArray && !(content is JsonValue text && text.TryGetValue(out string? _)) && !(content is null && calls))
        {
            problems.Add($"{place}: {contentKey}: found {(message.ContainsKey(contentKey) ? JsonRows.Describe(content) : "no such field")}, expected a text.");
            return null;
        }
        // names of roles that templates know pass; those of other formats are translated, and misspelt ones would be lost silently
        if (!Speakers.TryGetValue(role, out string? known))
            known = role is "developer" or "function" or "ipython" ? role : null;
        if (known is null)
        {
            string near = NearestName.Of(role, Speakers.Keys) is { } other ? $" Did you mean {other}?" : "";
            problems.Add($"{place}: {roleKey}: found '{role}', expected one of system, user, assistant, tool, developer, human, gpt, function_call, observation.{near}");
            return null;
        }
        if (known == "function_call")
            return FunctionCall(place, (string?)content ?? "");
        JsonObject read = new() { ["role"] = known, ["content"] = content?.DeepClone() };
        foreach ((string key, JsonNode? value) in message)
        {
            if (key != roleKey && key != contentKey && key is not ("role" or "content"))
                read[key] = value?.DeepClone();
        }
        return read;
    }

    // LLaMA-Factory's form of a call: the text is JSON with a name and arguments
    private JsonObject? FunctionCall(string place, string text)
    {
        try
        {
            JsonNode? parsed = JsonNode.Parse(text);
            JsonArray calls = [];
            foreach (JsonNode? call in parsed is JsonArray several ? [.. several] : (JsonNode?[])[parsed])
            {
                if (call is not JsonObject named || named["name"] is null)
                    throw new JsonException("no name");
                calls.Add(new JsonObject { ["type"] = "function", ["function"] = named.DeepClone() });
            }
            return new JsonObject { ["role"] = "assistant", ["content"] = "", ["tool_calls"] = calls };
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException)
        {
            problems.Add($"{place}: found a function_call that is not JSON with a name and arguments.");
            return null;
        }
    }

    private JsonArray? Tools(RowOrigin origin, JsonNode? tools)
    {
        if (tools is JsonValue written && written.TryGetValue(out string? text))
        {
            if (string.IsNullOrWhiteSpace(text))
                return null;
            try
            {
                tools = JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                tools = null;
                problems.Add($"{origin}: tools: found a text that is not JSON, expected a list of functions.");
                return null;
            }
        }
        switch (tools)
        {
            case null:
                return null;
            case JsonArray list:
                // bare functions are wrapped, as templates expect them
                JsonNode?[] wrapped = [.. list.Select(tool => tool is JsonObject function && !function.ContainsKey("function") && function.ContainsKey("name")
                    ? new JsonObject { ["type"] = "function", ["function"] = function.DeepClone() }
                    : tool?.DeepClone())];
                return wrapped.Length == 0 ? null : [.. wrapped];
            default:
                problems.Add($"{origin}: tools: found {JsonRows.Describe(tools)}, expected a list of functions.");
                return null;
        }
    }
}
