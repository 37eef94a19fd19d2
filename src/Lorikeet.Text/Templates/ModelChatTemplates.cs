namespace Lorikeet.Text;

/// <summary>The chat templates of one model and the special tokens that they write.</summary>
public sealed class ModelChatTemplates
{
    /// <summary>The name of the template for conversations that no other template is meant for.</summary>
    public const string DefaultName = "default";

    /// <summary>The name of the template for conversations with tools, where a model has its own.</summary>
    public const string ToolUseName = "tool_use";

    /// <summary>Takes a model's templates by name; a model with a single template calls it <see cref="DefaultName"/>.</summary>
    public ModelChatTemplates(IReadOnlyDictionary<string, ChatTemplate> templates, ChatTemplateVariables variables)
    {
        ArgumentNullException.ThrowIfNull(templates);
        ArgumentNullException.ThrowIfNull(variables);
        if (templates.Count == 0)
            throw new ArgumentException("a model with chat templates has at least one", nameof(templates));
        Templates = templates;
        Variables = variables;
    }

    /// <summary>The templates by name.</summary>
    public IReadOnlyDictionary<string, ChatTemplate> Templates { get; }

    /// <summary>The model's special tokens.</summary>
    public ChatTemplateVariables Variables { get; }

    /// <summary>The template that fits a conversation: with tools the one for tools if there is one, else the default.</summary>
    /// <exception cref="TemplateException">The model has several templates and none of them is the default.</exception>
    public ChatTemplate For(ChatRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.Tools.IsNone && Templates.TryGetValue(ToolUseName, out ChatTemplate? withTools))
            return withTools;
        if (Templates.TryGetValue(DefaultName, out ChatTemplate? template))
            return template;
        ChatTemplate first = Templates.Values.First();
        return Templates.Count == 1 ? first : throw new TemplateException(
            TemplateErrorKind.Request,
            $"the model has the chat templates {string.Join(", ", Templates.Keys)} and no default: choose one by name",
            first.Name,
            0);
    }

    /// <summary>Renders with the template that fits, and with the special tokens beside the request's own variables, which come first.</summary>
    /// <exception cref="TemplateException">As <see cref="ChatTemplate.Render"/>.</exception>
    public RenderedChat Render(ChatRequest request)
    {
        ChatTemplate template = For(request);
        if (Variables.All.Count == 0)
            return template.Render(request);
        Dictionary<string, TemplateValue> variables = new(Variables.All);
        foreach ((string name, TemplateValue value) in request.Variables)
            variables[name] = value;
        return template.Render(request with { Variables = variables });
    }
}
