using System.Text;
using Lorikeet.Nn;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>A text that is being written, or was.</summary>
public sealed class Generation
{
    private readonly TokenStream? _stream;
    private readonly StopScanner _stops;
    private readonly StringBuilder _text = new();
    private readonly int _limit;
    private readonly bool _endsWithContext;
    private int[] _all;
    private int _count;
    private SamplingState? _sampling;

    internal Generation(GenerationRequest request, TokenStream? stream, int room)
    {
        Request = request;
        _stream = stream;
        _stops = new StopScanner(request.Stop);
        _endsWithContext = room < request.MaxTokens;
        _all = [.. request.Prompt];
        _count = PromptTokens = _all.Length;
        _limit = PromptTokens + Math.Min(room, request.MaxTokens);
    }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>Tokens written so far, the end token included.</summary>
    public ReadOnlySpan<int> Tokens => _all.AsSpan(PromptTokens, _count - PromptTokens);

    /// <summary>The text written so far; empty without a tokenizer.</summary>
    public string Text => _text.ToString();

    /// <summary>Why it ended; null while it goes on.</summary>
    public FinishReason? Finish { get; private set; }

    internal SamplingState Sampling => _sampling!;

    /// <summary>Keys and values; null before its turn comes and once it is done.</summary>
    internal KvCache? Keys { get; private set; }

    /// <summary>Tokens that the cache holds.</summary>
    internal int Fed { get; set; }

    /// <summary>How many of <see cref="Pending"/> the pass that runs reads.</summary>
    internal int Reading { get; set; }

    /// <summary>True where the keys are turned for a text that has outgrown the original context.</summary>
    internal bool Outgrown { get; set; }

    /// <summary>The prompt.</summary>
    internal ReadOnlySpan<int> Prompt => _all.AsSpan(0, PromptTokens);

    /// <summary>Tokens that have to be read before the next one can be written.</summary>
    internal ReadOnlySpan<int> Pending => _all.AsSpan(Fed, _count - Fed);

    /// <summary>Tokens that the cache holds.</summary>
    internal ReadOnlySpan<int> Held => _all.AsSpan(0, Fed);

    /// <summary>Its turn has come: from now on it takes memory.</summary>
    /// <param name="keys">Its cache.</param>
    /// <param name="cached">Tokens of the prompt that the cache holds.</param>
    /// <param name="outgrown">See <see cref="Outgrown"/>.</param>
    /// <param name="vocabulary">How many tokens the model knows.</param>
    internal void Begin(KvCache keys, int cached, bool outgrown, int vocabulary)
    {
        _sampling = new SamplingState(Request.Sampling, vocabulary, Prompt);
        Array.Resize(ref _all, _limit);
        Keys = keys;
        Fed = cached;
        Outgrown = outgrown;
    }

    /// <summary>It is done, or given up: what the cache was.</summary>
    internal KvCache? End()
    {
        KvCache? keys = Keys;
        (Keys, _sampling) = (null, null);
        return keys;
    }

    /// <summary>Has the cache forget the tokens after the first <paramref name="count"/>; they are read once more.</summary>
    internal void Return(int count)
    {
        Keys!.Truncate(count == 0 ? 0 : Keys.Prefix + count);
        Fed = count;
    }

    /// <summary>Takes the next token. Whoever listens hears of it last: what it throws changes nothing here.</summary>
    internal void Accept(int token)
    {
        _all[_count++] = token;
        // the end token is no text, though special tokens may be wanted
        bool ends = Request.EndTokens.Contains(token);
        string piece = _stream is not null && (!ends || Request.KeepSpecial) ? _stops.Append(_stream.Append(token)) : "";
        if (ends)
            Finish = FinishReason.EndToken;
        else if (_stops.Stopped)
            Finish = FinishReason.StopString;
        else if (_count == _limit)
            Finish = _endsWithContext ? FinishReason.ContextFull : FinishReason.Length;
        if (Finish is not null && _stream is not null && !_stops.Stopped)
        {
            piece += _stops.Append(_stream.Finish());
            if (!_stops.Stopped)
                piece += _stops.Finish();
        }
        Emit(piece);
    }

    private void Emit(string text)
    {
        if (text.Length == 0)
            return;
        _text.Append(text);
        Request.TextArrived?.Invoke(text);
    }
}
