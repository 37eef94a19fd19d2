using System.Globalization;
using Lorikeet.Formats;
using Lorikeet.Models;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>A model with what it takes to talk to it: tokenizer, chat template, end tokens.</summary>
public sealed class ModelPackage : IDisposable
{
    private readonly ModelChatTemplates? _chatTemplates;
    private readonly TemplateException? _brokenTemplate;

    private ModelPackage(ModelFiles files, CausalLm model, Tokenizer tokenizer, ModelChatTemplates? chatTemplates, TemplateException? brokenTemplate, IReadOnlyList<int> endTokens, SamplingOptions sampling)
    {
        Files = files;
        Model = model;
        Tokenizer = tokenizer;
        _chatTemplates = chatTemplates;
        _brokenTemplate = brokenTemplate;
        EndTokens = endTokens;
        Sampling = sampling;
        List<string> remarks = [.. model.Remarks];
        if (brokenTemplate is not null)
            remarks.Add($"chats are not possible: {brokenTemplate.Message}");
        if (tokenizer.VocabularySize > model.Facts.Vocabulary)
            remarks.Add(string.Create(CultureInfo.InvariantCulture, $"the tokenizer knows {tokenizer.VocabularySize} tokens, the model {model.Facts.Vocabulary}: a text with one of the others will be refused"));
        string[] unused = [.. model.UnusedWeights.Where(name => !IsDerived(name, model))];
        if (unused.Length > 0)
            remarks.Add(string.Create(CultureInfo.InvariantCulture, $"{unused.Length} tensors of {files.Name} belong to nothing in its configuration and are not used: {string.Join(", ", unused.Take(5))}{(unused.Length > 5 ? ", …" : "")}"));
        Remarks = remarks;
    }

    // tables that older programs saved along, and a head that the embedding stands in for
    private static bool IsDerived(string name, CausalLm model) =>
        name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || name.EndsWith(".attn.bias", StringComparison.Ordinal)
        || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal) || name.StartsWith("rope_f", StringComparison.Ordinal)
        || (name == "lm_head.weight" && model.OutputEmbedding?.Weight == model.InputEmbedding.Weight);

    /// <summary>Where it lies.</summary>
    public ModelFiles Files { get; }

    /// <summary>The model.</summary>
    public CausalLm Model { get; }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Its chat templates; null for a base model.</summary>
    /// <exception cref="InputException">They are broken: the model can continue texts all the same.</exception>
    public ModelChatTemplates? ChatTemplates => _brokenTemplate is null ? _chatTemplates : throw new InputException(_brokenTemplate.Message, _brokenTemplate);

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EndTokens { get; }

    /// <summary>How the model's makers would have it write; the likeliest token where they say nothing.</summary>
    public SamplingOptions Sampling { get; }

    /// <summary>What somebody should know though it is no error.</summary>
    public IReadOnlyList<string> Remarks { get; } = [];

    /// <summary>Opens a model with all that belongs to it.</summary>
    /// <param name="name">A folder, a GGUF file, or a name in the hub's cache; see <see cref="ModelFiles.Find"/>.</param>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <exception cref="InputException">Something is missing or broken; all problems of all parts are listed.</exception>
    public static ModelPackage Open(string name, ModelStorage? storage = null) => Open(ModelFiles.Find(name), storage);

    /// <summary>Opens a model with all that belongs to it.</summary>
    /// <param name="files">Where it lies.</param>
    /// <param name="storage">Turns matrices into these storages as they are loaded; null leaves them as they are.</param>
    /// <param name="tokenizer">A folder or file to take the tokenizer from, if not the model's own.</param>
    /// <param name="chatTemplate">A file with the chat template, if not the model's own.</param>
    /// <exception cref="InputException">Something is missing or broken; all problems of all parts are listed.</exception>
    public static ModelPackage Open(ModelFiles files, ModelStorage? storage = null, string? tokenizer = null, string? chatTemplate = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        ModelLoader.RefuseAdapter(files.Path);
        List<string> problems = [];
        // side by side: a vocabulary takes about as long as the weights, which are only mapped
        Task<CausalLm> weights = Task.Run(() => files.LoadModel(storage));
        Tokenizer? text = Try(() => files.LoadTokenizer(tokenizer));
        TemplateException? broken = null;
        ModelChatTemplates? templates = Try(Templates);
        IReadOnlyList<int>? ends = text is null ? [] : Try(() => files.EndTokens(text));
        SamplingOptions? sampling = Try(files.Sampling);
        CausalLm? model = Try(weights.GetAwaiter().GetResult);
        if (problems.Count == 0)
            return new ModelPackage(files, model!, text!, templates, broken, ends!, sampling!);
        model?.Dispose();
        if (broken is not null)
            problems.Add(broken.Message);
        throw problems.Count == 1 ? new InputException(problems[0]) : new InputException($"{files.Name}: the model cannot be opened", problems);

        T? Try<T>(Func<T?> open) where T : class
        {
            try
            {
                return open();
            }
            catch (Exception e) when (e is InputException or TokenizerException or TemplateException)
            {
                // parts that lie in one file stumble over the same thing
                if (!problems.Contains(e.Message))
                    problems.Add(e.Message);
                return null;
            }
        }

        // whoever continues texts needs no template; one that was asked for has to be good
        ModelChatTemplates? Templates()
        {
            try
            {
                return files.LoadChatTemplates(chatTemplate, text);
            }
            catch (TemplateException e) when (chatTemplate is null)
            {
                broken = e;
                return null;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
