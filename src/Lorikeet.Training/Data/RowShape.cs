using System.Text.Json.Nodes;
using Lorikeet.Formats;

namespace Lorikeet.Training;

/// <summary>
/// How the rows of one file are understood: decided once, from what the recipe says and from the fields of the first row, and then held
/// against every row.
/// </summary>
internal sealed class RowShape
{
    private readonly DataSource _source;
    private readonly bool _hasChatTemplate;
    private readonly ProblemList _problems;
    private readonly RowFormat? _format;
    private readonly RowTemplate? _prompt, _completion, _text;
    private readonly ChatFields _chat;

    private RowShape(DataSource source, RowFormat? format, string? messagesField, bool hasChatTemplate, ProblemList problems)
    {
        _source = source;
        _format = format;
        _hasChatTemplate = hasChatTemplate;
        _problems = problems;
        _prompt = source.Prompt is null ? null : new RowTemplate(source.Prompt);
        _completion = source.Completion is null ? null : new RowTemplate(source.Completion);
        _text = source.Text is null ? null : new RowTemplate(source.Text);
        _chat = new ChatFields(messagesField ?? "messages", source.RoleField, source.ContentField, problems);
    }

    /// <summary>What the rows are, for people.</summary>
    public string Description => _format switch
    {
        null when _text is not null => $"text made from {Named(_text.Fields)}",
        null => $"prompt and completion made from {Named(_prompt!.Fields.Concat(_completion!.Fields).Distinct())}{(AsChat(false) ? ", as turns of a chat" : "")}",
        RowFormat.Messages or RowFormat.Sharegpt => $"chats ({_chat.MessagesField} with {_chat.RoleField} and {_chat.ContentField})",
        RowFormat.PromptCompletion => $"prompt and completion{(AsChat(false) ? ", as turns of a chat" : "")}",
        RowFormat.Alpaca => $"instruction and output{(AsChat(true) ? ", as turns of a chat" : ", under plain headings")}",
        _ => "text",
    };

    /// <summary>The shape of a file, or null (with a problem) when its first row cannot be understood.</summary>
    /// <param name="source">What the recipe says.</param>
    /// <param name="first">The fields of the first row.</param>
    /// <param name="origin">Where it stands.</param>
    /// <param name="hasChatTemplate">Whether the model has one.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static RowShape? Of(DataSource source, JsonObject first, RowOrigin origin, bool hasChatTemplate, ProblemList problems)
    {
        string? messages = source.MessagesField ?? ((string[])["messages", "conversations", "conversation"]).FirstOrDefault(name => first[name] is JsonArray);
        if (source.Prompt is not null || source.Text is not null)
            return new RowShape(source, null, null, hasChatTemplate, problems);
        RowFormat? format = source.Format ?? Recognise(first, messages);
        if (format is { } known)
            return new RowShape(source, known, messages, hasChatTemplate, problems);
        problems.Add($"{origin}: found the fields {Named(first.Select(field => field.Key))}, expected messages; conversations; prompt and completion; instruction and output; or text. "
            + "Say what to make of others with prompt and completion (or text), such as prompt: \"{question}\" and completion: \"{answer}\".");
        return null;
    }

    /// <summary>A row, or null when it has problems.</summary>
    public DataRow? Read(RowOrigin origin, JsonObject row)
    {
        int before = _problems.Count;
        DataRow? read = _format switch
        {
            null when _text is not null => new TextRow(origin, Filled(_text, origin, row)),
            null => Prompted(origin, Filled(_prompt!, origin, row), Filled(_completion!, origin, row), AsChat(false)),
            RowFormat.Messages or RowFormat.Sharegpt => _chat.Read(origin, row),
            RowFormat.PromptCompletion => PromptCompletion(origin, row),
            RowFormat.Alpaca => Alpaca(origin, row),
            _ => new TextRow(origin, Text(origin, row, "text")),
        };
        return _problems.Count == before ? read : null;
    }

    private static RowFormat? Recognise(JsonObject row, string? messages)
    {
        if (messages is not null)
            return (row[messages] as JsonArray)?.FirstOrDefault() is JsonObject message && message.ContainsKey("from") ? RowFormat.Sharegpt : RowFormat.Messages;
        if (row.ContainsKey("prompt") && row.ContainsKey("completion"))
            return RowFormat.PromptCompletion;
        if (row.ContainsKey("instruction") && row.ContainsKey("output"))
            return RowFormat.Alpaca;
        return row.ContainsKey("text") ? RowFormat.Text : null;
    }

    private DataRow? PromptCompletion(RowOrigin origin, JsonObject row)
    {
        if (row["prompt"] is JsonArray given && row["completion"] is JsonArray learned)
            return _chat.Read(origin, [.. given.Concat(learned).Select(message => message?.DeepClone())], row, given.Count);
        return Prompted(origin, Text(origin, row, "prompt"), Text(origin, row, "completion"), AsChat(false));
    }

    private DataRow? Alpaca(RowOrigin origin, JsonObject row)
    {
        string instruction = Text(origin, row, "instruction"), input = Optional(origin, row, "input"), output = Text(origin, row, "output");
        string system = Optional(origin, row, "system");
        if (AsChat(true))
        {
            JsonArray messages = [];
            if (system.Length > 0)
                messages.Add(Message("system", system));
            if (row["history"] is JsonArray history)
            {
                foreach (JsonNode? turn in history)
                {
                    if (turn is not JsonArray { Count: 2 } pair || !pair.All(IsText))
                    {
                        _problems.Add($"{origin}: history: expected pairs of a question and an answer.");
                        return null;
                    }
                    messages.Add(Message("user", (string)pair[0]!));
                    messages.Add(Message("assistant", (string)pair[1]!));
                }
            }
            messages.Add(Message("user", input.Length > 0 ? $"{instruction}\n\n{input}" : instruction));
            messages.Add(Message("assistant", output));
            return new ChatRow(origin, messages, null, 0);
        }
        if (row["history"] is JsonArray { Count: > 0 })
        {
            _problems.Add($"{origin}: found a history of earlier turns, which needs a chat template; this model has none, or as_chat is false.");
            return null;
        }
        string prompt = (system.Length > 0 ? $"{system}\n\n" : "") + $"### Instruction:\n{instruction}\n\n" + (input.Length > 0 ? $"### Input:\n{input}\n\n" : "") + "### Response:\n";
        return new PromptRow(origin, prompt, output);
    }

    private static DataRow Prompted(RowOrigin origin, string prompt, string completion, bool asChat) => asChat
        ? new ChatRow(origin, [Message("user", prompt), Message("assistant", completion)], null, 0)
        : new PromptRow(origin, prompt, completion);

    private bool AsChat(bool usual) => _source.AsChat ?? (usual && _hasChatTemplate);

    private string Filled(RowTemplate template, RowOrigin origin, JsonObject row) => template.Fill(name => Text(origin, row, name, anyValue: true));

    private string Optional(RowOrigin origin, JsonObject row, string name) => row[name] is null ? "" : Text(origin, row, name);

    private string Text(RowOrigin origin, JsonObject row, string name, bool anyValue = false)
    {
        if (!row.TryGetPropertyValue(name, out JsonNode? value))
        {
            string near = NearestName.Of(name, row.Select(field => field.Key)) is { } other ? $" Did you mean {other}?" : "";
            _problems.Add($"{origin}: no field '{name}'; found {Named(row.Select(field => field.Key))}.{near}");
            return "";
        }
        if (IsText(value))
            return _source.Strip ? ((string)value!).Trim() : (string)value!;
        if (anyValue && value is JsonValue)
            return value.ToJsonString();
        _problems.Add($"{origin}: {name}: found {JsonRows.Describe(value)}, expected a text.");
        return "";
    }

    private static bool IsText(JsonNode? value) => value is JsonValue text && text.TryGetValue(out string? _);

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string Named(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length switch
        {
            0 => "no fields",
            > 12 => string.Join(", ", all.Take(12)) + " …",
            _ => string.Join(", ", all),
        };
    }
}
