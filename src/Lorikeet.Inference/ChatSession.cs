using System.Text.Json.Nodes;
using Lorikeet.Kernels;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>A conversation with a model through its own chat template. What was computed for one turn is used again in the next.</summary>
public sealed class ChatSession : IDisposable
{
    private readonly ModelPackage _package;
    private readonly ModelChatTemplates _templates;
    private readonly Generator _generator;
    private readonly PromptCache _cache = new();
    private readonly List<JsonObject> _messages = [];

    /// <summary>An empty conversation.</summary>
    /// <param name="package">The model; it is not disposed of.</param>
    /// <param name="system">The system message, or null for whatever the template does without one.</param>
    /// <param name="precision">How far products may round their factors.</param>
    /// <param name="kvCache">How keys and values are kept; see <see cref="Generator.KvCacheType"/>.</param>
    /// <param name="prefillChunk">How many tokens of a question one pass reads; see <see cref="Generator.PrefillChunk"/>.</param>
    /// <exception cref="InputException">The model has no chat template.</exception>
    public ChatSession(ModelPackage package, string? system = null, GemmPrecision precision = GemmPrecision.Single, DType kvCache = DType.F32, int prefillChunk = Generator.DefaultPrefillChunk)
    {
        ArgumentNullException.ThrowIfNull(package);
        _package = package;
        _templates = package.ChatTemplates ?? throw new InputException($"{package.Files.Name}: has no chat template, as base models have none; it can continue a text (`lorikeet generate`)");
        _generator = new Generator(package.Model, package.Tokenizer, maxBatch: 1) { Precision = precision, KvCacheType = kvCache, PrefillChunk = prefillChunk };
        System = system;
    }

    /// <summary>The system message; a change takes effect with the next question.</summary>
    public string? System { get; set; }

    /// <summary>Turns so far, questions and answers.</summary>
    public int Turns => _messages.Count;

    /// <summary>Asks, and waits for the answer.</summary>
    /// <param name="text">What the user says.</param>
    /// <param name="settings">Length, sampling, stop strings, and who hears the text as it comes; its prompt is not looked at, end tokens default to the model's.</param>
    /// <param name="cancel">Ends the answer; what was said of it stays part of the conversation.</param>
    /// <exception cref="InputException">The conversation has outgrown the model's context, or its weights are damaged; the question is taken back.</exception>
    /// <exception cref="TemplateException">The template refuses the conversation; the question is taken back.</exception>
    public Generation Ask(string text, GenerationRequest settings, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(settings);
        _messages.Add(Message("user", text));
        Generation answer;
        try
        {
            answer = _generator.Add(settings with
            {
                Prompt = _package.Tokenizer.EncodeIds(Render(), addSpecial: false),
                EndTokens = settings.EndTokens.Count > 0 ? settings.EndTokens : _package.EndTokens,
                Cache = _cache,
            });
        }
        catch (Exception e) when (e is InputException or TemplateException)
        {
            _messages.RemoveAt(_messages.Count - 1);
            throw;
        }
        try
        {
            _generator.Run(cancel);
        }
        catch (InputException)
        {
            // nothing that such a pass left behind is of use
            _generator.Abandon();
            _cache.Clear();
            _messages.RemoveAt(_messages.Count - 1);
            throw;
        }
        catch
        {
            _generator.Abandon();
            _messages.Add(Message("assistant", answer.Text));
            throw;
        }
        _messages.Add(Message("assistant", answer.Text));
        return answer;
    }

    /// <summary>Forgets all turns.</summary>
    public void Reset() => _messages.Clear();

    /// <summary>Has everything computed anew: call it when the model's adapters have changed. The turns stay.</summary>
    public void ModelChanged() => _cache.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache.Dispose();
        _generator.Dispose();
    }

    private string Render()
    {
        JsonArray messages = [];
        if (System is not null)
            messages.Add(Message("system", System));
        foreach (JsonObject message in _messages)
            messages.Add(message.DeepClone());
        return _templates.Render(new ChatRequest { Messages = (JsonNode)messages, AddGenerationPrompt = true }).Text;
    }

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
