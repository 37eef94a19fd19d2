namespace Lorikeet.Text;

/// <summary>
/// The chat template of a model: a program in the Jinja language that makes one text of a conversation. It is read once, does not change, and
/// renders any number of conversations on any number of threads. It runs in a sandbox: it reads what the request gives it and nothing else, and
/// ends within its <see cref="TemplateLimits"/>. The language, its functions and its white space rules are those that Hugging Face
/// transformers sets up (Jinja2's immutable sandbox with <c>trim_blocks</c>, <c>lstrip_blocks</c> and loop controls).
/// </summary>
public sealed class ChatTemplate
{
    private const int MaxSourceLength = 1024 * 1024;

    private readonly Statement[] _body;
    private readonly ScopeEntry _entry;
    private readonly FunctionLayout _function;
    private readonly string[] _globalNames;
    private readonly object?[] _globals;

    private ChatTemplate(string name, string source, TemplateLimits limits)
    {
        Name = name;
        Source = source;
        Limits = limits;
        _body = TemplateParser.Parse(source, name);
        GlobalNames globals = new();
        Scope root = new(globals);
        Statement.Collect(_body, root);
        _entry = root.Seal();
        Statement.Bind(_body, new Binder(root, name));
        _function = root.Function;
        _globalNames = globals.All;
        _globals = [.. _globalNames.Select(n => TemplateGlobals.All.TryGetValue(n, out NativeFunction? function) ? (object?)function : Missing.Value)];
    }

    /// <summary>What errors call the template.</summary>
    public string Name { get; }

    /// <summary>The text that it was read from.</summary>
    public string Source { get; }

    /// <summary>What one rendering may use.</summary>
    public TemplateLimits Limits { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="source">The template's text.</param>
    /// <param name="name">What errors call it, usually the file it came from.</param>
    /// <param name="limits">What one rendering may use; <see cref="TemplateLimits.Default"/> where null.</param>
    /// <exception cref="TemplateException">The text is no template; the error tells the line.</exception>
    public static ChatTemplate Parse(string source, string name, TemplateLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(name);
        if (source.Length > MaxSourceLength)
            throw new TemplateException(TemplateErrorKind.Syntax, $"a template of {source.Length} characters is too long: at most {MaxSourceLength} are read", name, 0);
        return new ChatTemplate(name, source, limits ?? TemplateLimits.Default);
    }

    /// <summary>
    /// Finds the chat templates of a model in a folder with the hub's files: <c>chat_template.jinja</c> (with <c>additional_chat_templates/*.jinja</c>),
    /// <c>chat_template.json</c>, or <c>chat_template</c> in <c>tokenizer_config.json</c>, and the special tokens of <c>tokenizer_config.json</c> and
    /// <c>special_tokens_map.json</c>.
    /// </summary>
    /// <returns>Null where the model has no chat template, as base models have none.</returns>
    /// <exception cref="TemplateException">A file is broken; the error names it and, where it can, the line.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static ModelChatTemplates? FromModelFolder(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return ModelChatTemplateFiles.Read(folder);
    }

    /// <summary>Makes the text of a conversation.</summary>
    /// <exception cref="TemplateException">
    /// The template refuses the conversation, fails on it or runs past its limits, or the request contradicts itself.
    /// </exception>
    public RenderedChat Render(ChatRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        RenderState? state = null;
        try
        {
            PythonList messages = ChatMessages.Prepare(request);
            state = new RenderState(Limits, Globals(request, messages), request.Now) { Frame = new Frame(_function.SlotCount, null) };
            _entry.Enter(state);
            Statement.Run(_body, state);
            RenderedChat chat = new(state.Output.Text.ToString(), state.Output.Spans) { HasUnplacedGeneration = state.LostSpans };
            return request.ContinueFinalMessage ? ChatMessages.CutAtContinuation(chat) : chat;
        }
        catch (EvaluationException error)
        {
            throw new TemplateException(error.Kind, error.Message, Name, error.Kind == TemplateErrorKind.Request ? 0 : state?.Line ?? 0);
        }
    }

    private object?[] Globals(ChatRequest request, PythonList messages)
    {
        object?[] globals = [.. _globals];
        for (int i = 0; i < globals.Length; i++)
        {
            string name = _globalNames[i];
            if (request.Variables.TryGetValue(name, out TemplateValue value))
            {
                globals[i] = value.Value;
                continue;
            }
            switch (name)
            {
                case "messages":
                    globals[i] = messages;
                    break;
                case "tools":
                    globals[i] = request.Tools.Value;
                    break;
                case "documents":
                    globals[i] = request.Documents.Value;
                    break;
                case "add_generation_prompt":
                    globals[i] = Boxed.Bool(request.AddGenerationPrompt);
                    break;
            }
        }
        return globals;
    }
}
