using System.Globalization;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>
/// Continues texts, many at a time: each pass reads every weight once for all of them, new prompts join while others are being answered, in
/// pieces where they are long (chunked prefill, Agrawal et al. 2023, arXiv:2308.16369), and whoever is done makes room. After warm-up a pass allocates no managed memory, the text itself aside. Not for several threads.
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
    /// <summary>What <see cref="PrefillChunk"/> is where nobody says otherwise.</summary>
    public const int DefaultPrefillChunk = 512;

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

    /// <summary>Bytes that hold what passes compute, the largest so far; it grows with <see cref="PrefillChunk"/>, not with the length of prompts.</summary>
    public long ActivationBytes => _step.Tape.HeldBytes;

    /// <summary>
    /// How many tokens of prompts one pass reads, besides a token of each text that is being written: a longer prompt takes several passes. It bounds
    /// the memory of prompts, and how long texts wait for their next token when a prompt joins.
    /// </summary>
    public int PrefillChunk
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = DefaultPrefillChunk;

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

    /// <summary>Runs one pass: each text whose prompt is read gets one token.</summary>
    /// <returns>False when no text is left.</returns>
    /// <remarks>After an exception, of a listener for instance, every text is as it was or has its token, and another call goes on.</remarks>
    public bool Next()
    {
        Gather();
        if (_running.Count == 0)
            return false;
        _step.Begin(_batch, _caches);
        Tensor hidden = _model.Hidden(_step);
        int rows = 0, read = 0;
        foreach (Generation generation in _running)
        {
            rows += generation.Reading;
            generation.Fed += generation.Reading;
            if (generation.Pending.IsEmpty)
                _lastRows[read++] = rows - 1;
        }
        try
        {
            if (read > 0)
                Write(hidden, read);
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

    // what the pass reads: the one token of each text that is being written, and a chunk of prompts, those first that came first
    private void Gather()
    {
        _batch.Clear();
        _caches.Clear();
        int room = PrefillChunk;
        for (int i = 0; i < _running.Count || Admit(room); i++)
        {
            Generation generation = _running[i];
            bool outgrown = Outgrows(generation.Fed + generation.Pending.Length);
            if (outgrown && !generation.Outgrown)
                generation.Return(0);
            generation.Outgrown = outgrown;
            int pending = generation.Pending.Length, reading = generation.Reading = pending == 1 ? 1 : Math.Min(pending, room);
            if (reading == 0)
                continue;
            room -= pending == 1 ? 0 : reading;
            _batch.Add(generation.Pending[..reading], generation.Fed, ahead: pending - reading);
            _caches.Add(generation.Keys!);
        }
    }

    private bool Admit(int room)
    {
        if (room == 0 || _running.Count == MaxBatch || !_waiting.TryPeek(out Generation? next))
            return false;
        Begin(next);
        _running.Add(_waiting.Dequeue());
        return true;
    }

    // the next token of the texts that are read to their end
    private void Write(Tensor hidden, int count)
    {
        if (_batch.Rows > count)
            hidden = _step.Tape.SelectRows(hidden, _step.Copy(_lastRows.AsSpan(0, count)));
        Tensor logits = _model.Logits(_step, hidden);
        for (int i = 0, row = 0; i < _running.Count; i++)
        {
            if (_running[i].Pending.IsEmpty)
                _running[i].Accept(_sampler.Next(logits.Row(row++), _running[i].Sampling));
        }
    }

    private bool Outgrows(int tokens) => tokens + _model.LearnedPrefix > _recomputeAt;

    private void Begin(Generation generation)
    {
        int cached = 0;
        bool outgrown = Outgrows(generation.PromptTokens);
        KvCache? keys;
        _pool ??= _model.NewPool(KvCacheType);
        if (generation.Request.Cache is { } cache)
        {
            if (cache.Outgrown != outgrown)
                cache.Clear();
            cached = cache.Reuse(generation.Prompt, _pool);
            keys = cache.Keys!;
        }
        else if (!_spare.TryPop(out keys))
        {
            keys = new KvCache(_pool);
        }
        generation.Begin(keys, cached, outgrown, _model.Head.Outputs);
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
                cache.Hold(generation.Held, generation.Outgrown);
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
