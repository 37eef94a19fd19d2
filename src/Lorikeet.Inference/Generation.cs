using System.Text;
using Lorikeet.Nn;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>A text that is being written, or was.</summary>
public sealed class Generation
{
    private readonly int[] _all;
    private readonly TokenStream? _stream;
    private readonly StopScanner _stops;
    private readonly StringBuilder _text = new();
    private readonly bool _endsWithContext;
    private int _count;

    internal Generation(GenerationRequest request, SamplingState sampling, TokenStream? stream, KvCache keys, int cached, int room)
    {
        Request = request;
        Sampling = sampling;
        Keys = keys;
        Fed = cached;
        _stream = stream;
        _stops = new StopScanner(request.Stop);
        _endsWithContext = room < request.MaxTokens;
        PromptTokens = request.Prompt.Count;
        _all = new int[PromptTokens + Math.Min(room, request.MaxTokens)];
        for (int i = 0; i < PromptTokens; i++)
            _all[i] = request.Prompt[i];
        _count = PromptTokens;
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

    internal SamplingState Sampling { get; }

    internal KvCache Keys { get; }

    /// <summary>Tokens that the cache holds.</summary>
    internal int Fed { get; set; }

    /// <summary>Tokens that the next pass has to read.</summary>
    internal ReadOnlySpan<int> Pending => _all.AsSpan(Fed, _count - Fed);

    /// <summary>Tokens that the cache holds.</summary>
    internal ReadOnlySpan<int> Held => _all.AsSpan(0, Fed);

    /// <summary>Takes the next token.</summary>
    internal void Accept(int token)
    {
        _all[_count++] = token;
        if (Request.EndTokens.Contains(token))
        {
            // the end token is no text, though special tokens may be wanted
            Finish = FinishReason.EndToken;
            if (Request.KeepSpecial && _stream is not null)
                Write(_stream.Append(token));
        }
        else
        {
            if (_stream is not null)
                Write(_stream.Append(token));
            if (_stops.Stopped)
                Finish = FinishReason.StopString;
            else if (_count == _all.Length)
                Finish = _endsWithContext ? FinishReason.ContextFull : FinishReason.Length;
        }
        if (Finish is not null && _stream is not null && !_stops.Stopped)
        {
            Write(_stream.Finish());
            if (!_stops.Stopped)
                Emit(_stops.Finish());
        }
    }

    private void Write(string piece) => Emit(_stops.Append(piece));

    private void Emit(string text)
    {
        if (text.Length == 0)
            return;
        _text.Append(text);
        Request.TextArrived?.Invoke(text);
    }
}
