using System.Globalization;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>
/// Continues texts, many at a time: each pass reads every weight once for all of them, new prompts join while others are being answered, and
/// whoever is done makes room. After warm-up a pass allocates no managed memory, the text itself aside. Not for several threads.
/// </summary>
/// <example>
/// <code>
/// using ModelPackage package = ModelPackage.Open("models/smollm2");
/// using Generator generator = new(package.Model, package.Tokenizer);
/// Generation answer = generator.Add(new GenerationRequest { Prompt = package.Tokenizer.EncodeIds("Once upon a time"), EndTokens = package.EndTokens });
/// generator.Run();
/// Console.WriteLine(answer.Text);
/// </code>
/// </example>
public sealed class Generator : IDisposable
{
    private readonly CausalLm _model;
    private readonly Tokenizer? _tokenizer;
    private readonly Step _step = new(new Tape());
    private readonly RaggedBatch _batch = new();
    private readonly Sampler _sampler;
    private readonly Queue<Generation> _waiting = [];
    private readonly List<Generation> _running = [];
    private readonly List<KvCache> _caches = [];
    private readonly Stack<KvCache> _spare = [];
    private KvPool? _pool;
    private readonly int[] _lastRows;
    private readonly int _recomputeAt;

    /// <summary>A generator for a model, with whatever adapters are attached to it.</summary>
    /// <param name="model">The model; it is not disposed of.</param>
    /// <param name="tokenizer">Makes text of the tokens; null where only tokens are wanted.</param>
    /// <param name="maxBatch">How many texts are written at the same time; others wait.</param>
    public Generator(CausalLm model, Tokenizer? tokenizer = null, int maxBatch = 16)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBatch, 1);
        _model = model;
        _tokenizer = tokenizer;
        _sampler = new Sampler(model.Head.Outputs);
        _lastRows = new int[maxBatch];
        // LongRoPE turns positions otherwise once a text outgrows the original context: keys of before are of no use then
        _recomputeAt = model.Backbone is Decoder { Config.Rope: { Kind: RopeScalingKind.LongRope } rope } && rope.ShortFactors != rope.LongFactors ? rope.OriginalMaxPositions : int.MaxValue;
    }

    /// <summary>How far products may round their factors. Single precision, the default, gives the tokens that other programs give in it.</summary>
    public GemmPrecision Precision
    {
        get => _step.Tape.Precision;
        init => _step.Tape.Precision = value;
    }

    /// <summary>
    /// How keys and values are kept: F32, the default; BF16, which halves them; I8, which takes little more than a quarter, with one scale for each head of
    /// each token. What is read from them is rounded as they are, so texts may differ from those of other programs.
    /// </summary>
    public DType KvCacheType { get; init; } = DType.F32;

    /// <summary>Bytes that keys and values take, those of texts that are done included: their pages are used again.</summary>
    public long KvBytes => _pool?.HeldBytes ?? 0;

    /// <summary>How many texts are written at the same time.</summary>
    public int MaxBatch => _lastRows.Length;

    /// <summary>New prompts join a pass only up to this many rows, so that long queues need no more memory; one prompt always may.</summary>
    public int PromptRows { get; init; } = 2048;

    /// <summary>Texts that wait or are being written.</summary>
    public int Unfinished => _waiting.Count + _running.Count;

    /// <summary>Takes a text to continue. It is written by <see cref="Run"/> or <see cref="Next"/>.</summary>
    /// <exception cref="InputException">The prompt is empty, holds what is no token, or leaves no room for an answer; or the options are wrong.</exception>
    public Generation Add(GenerationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        int room = Check(request);
        if (request.Cache is { } cache)
        {
            if (cache.InUse)
                throw new InvalidOperationException("the prompt cache belongs to a text that is still being written");
            cache.InUse = true;
        }
        int[] joined = request.JoinsPrompt ? [.. request.Prompt] : [];
        Generation generation = new(request, _tokenizer?.Stream(skipSpecial: !request.KeepSpecial, joined), room);
        _waiting.Enqueue(generation);
        return generation;
    }

    /// <summary>Writes until every text is done.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled; what is written so far stays, and another call goes on.</exception>
    public void Run(CancellationToken cancel = default)
    {
        do
        {
            cancel.ThrowIfCancellationRequested();
        }
        while (Next());
    }

    /// <summary>Runs one pass: each text gets one token.</summary>
    /// <returns>False when no text is left.</returns>
    /// <remarks>After an exception, of a listener for instance, every text is as it was or has its token, and another call goes on.</remarks>
    public bool Next()
    {
        Admit();
        if (_running.Count == 0)
            return false;
        _batch.Clear();
        _caches.Clear();
        for (int i = 0; i < _running.Count; i++)
        {
            Generation generation = _running[i];
            if (generation.Fed <= _recomputeAt && generation.Fed + generation.Pending.Length > _recomputeAt)
                generation.Return(0);
            _batch.Add(generation.Pending, generation.Fed);
            _caches.Add(generation.Keys!);
            _lastRows[i] = _batch.Rows - 1;
        }
        _step.Begin(_batch, _caches);
        Tensor hidden = _model.Hidden(_step);
        foreach (Generation generation in _running)
            generation.Fed += generation.Pending.Length;
        try
        {
            if (_batch.Rows > _running.Count)
                hidden = _step.Tape.SelectRows(hidden, _step.Copy(_lastRows.AsSpan(0, _running.Count)));
            Tensor logits = _model.Logits(_step, hidden);
            for (int i = 0; i < _running.Count; i++)
                _running[i].Accept(_sampler.Next(logits.Row(i), _running[i].Sampling));
        }
        finally
        {
            Settle();
        }
        return Unfinished > 0;
    }

    /// <summary>Gives up every text that is not done. What they hold so far stays readable.</summary>
    public void Abandon()
    {
        foreach (Generation generation in _running.Concat(_waiting))
            Release(generation);
        _running.Clear();
        _waiting.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Abandon();
        foreach (KvCache spare in _spare)
            spare.Dispose();
        _pool?.Dispose();
        _step.Tape.Dispose();
    }

    private void Admit()
    {
        int rows = 0;
        while (_running.Count < MaxBatch && _waiting.TryPeek(out Generation? next) && (rows == 0 || rows + next.PromptTokens <= PromptRows))
        {
            rows += next.PromptTokens;
            Begin(next);
            _running.Add(_waiting.Dequeue());
        }
    }

    private void Begin(Generation generation)
    {
        int cached = 0;
        KvCache? keys;
        _pool ??= _model.NewPool(KvCacheType);
        if (generation.Request.Cache is { } cache)
        {
            if (cache.Length > _recomputeAt && generation.PromptTokens <= _recomputeAt)
                cache.Clear();
            cached = cache.Reuse(generation.Prompt, _pool);
            keys = cache.Keys!;
        }
        else if (!_spare.TryPop(out keys))
        {
            keys = new KvCache(_pool);
        }
        generation.Begin(keys, cached, _model.Head.Outputs);
    }

    // whoever is done makes room; who got no token, as another's went wrong, has its last row computed again
    private void Settle()
    {
        int going = 0;
        for (int i = 0; i < _running.Count; i++)
        {
            Generation generation = _running[i];
            if (generation.Finish is not null)
            {
                Release(generation);
                continue;
            }
            if (generation.Pending.IsEmpty)
                generation.Return(generation.Fed - 1);
            _running[going++] = generation;
        }
        _running.RemoveRange(going, _running.Count - going);
    }

    private void Release(Generation generation)
    {
        KvCache? keys = generation.End();
        if (generation.Request.Cache is { } cache)
        {
            if (keys is not null)
                cache.Hold(generation.Held);
            cache.InUse = false;
        }
        else if (keys is not null)
        {
            keys.Truncate(0);
            _spare.Push(keys);
        }
    }

    // how many tokens may follow the prompt
    private int Check(GenerationRequest request)
    {
        request.Sampling.Check();
        List<string> problems = [];
        int context = _model.Facts.ContextLength - _model.LearnedPrefix, vocabulary = _model.Facts.Vocabulary;
        if (request.Prompt.Count == 0)
            problems.Add("the prompt is empty: there is nothing to continue, not even a begin token");
        if (request.Prompt.Count >= context)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"the prompt has {request.Prompt.Count} tokens, the model sees {context}: it leaves no room for an answer"));
        if (request.MaxTokens < 1)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"at most {request.MaxTokens} tokens were asked for; at least 1 was expected"));
        if (request.Stop.Contains(""))
            problems.Add("a stop string is empty");
        foreach (int token in request.Prompt)
        {
            if ((uint)token < (uint)vocabulary)
                continue;
            string spelled = _tokenizer is null ? "" : $" \"{_tokenizer.TokenOf(token)}\"";
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"the prompt holds token {token}{spelled}, the model has {vocabulary}: the tokenizer belongs to another model"));
            break;
        }
        return problems.Count == 0 ? context - request.Prompt.Count : throw new InputException("the text cannot be continued", problems);
    }
}
