namespace Lorikeet.Text;

/// <summary>What happens to a conversation before the template sees it, and to the text when the last message is to be continued.</summary>
internal static class ChatMessages
{
    // Its last space tells whether the template trims the message.
    private const string ContinuationTag = "CONTINUE_FINAL_MESSAGE_TAG ";

    private static readonly string[] ReasoningNames = ["reasoning_content", "thinking", "reasoning"];

    public static PythonList Prepare(ChatRequest request)
    {
        if (request.Messages.Value is not PythonList given)
            throw Refuse($"messages must be a list of messages, not {PythonTypes.NameOf(request.Messages.Value)}");
        if (request.AddGenerationPrompt && request.ContinueFinalMessage)
            throw Refuse("add_generation_prompt and continue_final_message contradict each other: the first begins a new message, the second goes on with the last");
        object?[] messages = [.. given.Items];
        for (int i = 0; i < messages.Length; i++)
        {
            messages[i] = messages[i] is PythonDict message
                ? WithReasoning(message)
                : throw Refuse($"messages[{i}] must be an object with role and content, not {PythonTypes.NameOf(messages[i])}");
        }
        if (request.ContinueFinalMessage)
        {
            if (messages.Length == 0)
                throw Refuse("continue_final_message is set, but there is no message to continue");
            messages[^1] = Tagged((PythonDict)messages[^1]!);
        }
        return new PythonList(messages);
    }

    public static RenderedChat CutAtContinuation(RenderedChat chat)
    {
        string tag = ContinuationTag.TrimEnd();
        int at = chat.Text.LastIndexOf(tag, StringComparison.Ordinal);
        if (at < 0)
            throw Refuse("continue_final_message is set, but the template does not write the final message, or changes it so that its end cannot be found");
        string text = chat.Text[..at];
        if (!chat.Text.AsSpan(at).StartsWith(ContinuationTag))
            text = StringOperations.StripEnd(text);
        List<(int Start, int End)> spans = [];
        foreach ((int start, int end) in chat.GenerationSpans)
        {
            if (start < text.Length)
                spans.Add((start, Math.Min(end, text.Length)));
        }
        return chat with { Text = text, GenerationSpans = spans };
    }

    // Templates disagree on what a message's reasoning is called.
    private static PythonDict WithReasoning(PythonDict message)
    {
        foreach (string name in ReasoningNames)
        {
            if (!message.TryGet(name, out object? reasoning) || reasoning is null)
                continue;
            PythonDictBuilder copy = Copy(message);
            copy.Set("reasoning_content", reasoning);
            if (!message.TryGet("thinking", out _))
                copy.Set("thinking", reasoning);
            return copy.Build();
        }
        return message;
    }

    private static PythonDict Tagged(PythonDict message)
    {
        message.TryGet("content", out object? content);
        PythonDictBuilder copy = Copy(message);
        switch (content)
        {
            case string text:
                copy.Set("content", text + ContinuationTag);
                return copy.Build();
            case PythonList parts:
                for (int i = parts.Count - 1; i >= 0; i--)
                {
                    if (parts[i] is not PythonDict part || !part.TryGet("text", out object? last) || last is not string words)
                        continue;
                    object?[] items = [.. parts.Items];
                    PythonDictBuilder tagged = Copy(part);
                    tagged.Set("text", words + ContinuationTag);
                    items[i] = tagged.Build();
                    copy.Set("content", new PythonList(items));
                    return copy.Build();
                }
                break;
        }
        throw Refuse("continue_final_message is set, but the final message has no text to continue");
    }

    private static PythonDictBuilder Copy(PythonDict dict)
    {
        PythonDictBuilder copy = new(dict.Count + 2);
        copy.SetAll(dict);
        return copy;
    }

    private static EvaluationException Refuse(string reason) => new(TemplateErrorKind.Request, reason);
}
