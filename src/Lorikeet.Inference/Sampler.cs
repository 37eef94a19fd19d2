using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>
/// Chooses tokens. The steps come in the order of transformers: repetition penalty, (as in vLLM) presence and frequency penalty, temperature,
/// top-k, top-p, min-p. It holds the room for one choice and can serve many sequences in turn; nothing is allocated per token.
/// </summary>
public sealed class Sampler
{
    private readonly int[] _tokens;
    private readonly float[] _weights;
    private int _count;

    /// <summary>A sampler for a vocabulary of this size.</summary>
    public Sampler(int vocabulary)
    {
        _tokens = new int[vocabulary];
        _weights = new float[vocabulary];
    }

    /// <summary>Tokens that are left to draw from.</summary>
    internal ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _count);

    /// <summary>Their probabilities, up to a common factor.</summary>
    internal ReadOnlySpan<float> Weights => _weights.AsSpan(0, _count);

    /// <summary>Chooses the next token and remembers it.</summary>
    /// <param name="logits"><c>[vocabulary]</c>; overwritten.</param>
    /// <param name="state">The sequence.</param>
    /// <exception cref="InputException">The logits hold no number: the model or an adapter is damaged.</exception>
    public int Next(Span<float> logits, SamplingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Penalize(logits, state);
        int token;
        if (state.Options.IsGreedy)
        {
            token = Likeliest(logits);
        }
        else
        {
            Filter(logits, state.Options);
            token = Draw(state);
        }
        state.Count(token);
        return token;
    }

    /// <summary>Applies the penalties in place.</summary>
    internal static void Penalize(Span<float> logits, SamplingState state)
    {
        SamplingOptions options = state.Options;
        if (!options.Penalizes)
            return;
        float repetition = (float)options.RepetitionPenalty;
        foreach (int token in state.Seen)
        {
            float logit = logits[token];
            if (repetition != 1)
                logit = logit < 0 ? logit * repetition : logit / repetition;
            int count = state.Occurrences(token);
            if (count > 0)
                logit -= (float)(options.FrequencyPenalty * count + options.PresencePenalty);
            logits[token] = logit;
        }
    }

    /// <summary>Leaves the tokens that temperature, top-k, top-p and min-p allow, with weights.</summary>
    internal void Filter(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        float max = logits[Likeliest(logits)];
        float threshold = options.TopK > 0 && options.TopK < logits.Length ? Largest(logits, options.TopK) : float.NegativeInfinity;
        float temperature = (float)options.Temperature;
        double sum = 0;
        _count = 0;
        for (int token = 0; token < logits.Length; token++)
        {
            float logit = logits[token];
            if (logit < threshold || logit == float.NegativeInfinity)
                continue;
            // equal to softmax(logits / temperature): the largest weight is 1
            float weight = MathF.Exp((logit - max) / temperature);
            _tokens[_count] = token;
            _weights[_count++] = weight;
            sum += weight;
        }
        if (options.TopP < 1)
            KeepNucleus(options.TopP, sum);
        if (options.MinP > 0)
            KeepAbove((float)options.MinP);
    }

    // ascending, tokens go while the sum with their own probability is at most 1 - p; the likeliest stays
    private void KeepNucleus(double p, double sum)
    {
        double rest = (1 - p) * sum;
        // whoever has less than an equal share of what may go, goes: so only few need sorting
        float share = (float)(rest / _count);
        double gone = 0;
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_weights[i] < share)
            {
                gone += _weights[i];
            }
            else
            {
                _weights[kept] = _weights[i];
                _tokens[kept++] = _tokens[i];
            }
        }
        _count = kept;
        MemoryExtensions.Sort(_weights.AsSpan(0, _count), _tokens.AsSpan(0, _count));
        int first = 0;
        float most = (float)(1 - p);
        while (first < _count - 1 && (float)((gone += _weights[first]) / sum) <= most)
            first++;
        _weights.AsSpan(first, _count - first).CopyTo(_weights);
        _tokens.AsSpan(first, _count - first).CopyTo(_tokens);
        _count -= first;
    }

    private void KeepAbove(float least)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_weights[i] >= least)
            {
                _weights[kept] = _weights[i];
                _tokens[kept++] = _tokens[i];
            }
        }
        _count = kept;
    }

    private int Draw(SamplingState state)
    {
        double sum = 0;
        foreach (float weight in Weights)
            sum += weight;
        double left = state.Draw() * sum;
        for (int i = 0; i < _count; i++)
        {
            left -= _weights[i];
            if (left < 0)
                return _tokens[i];
        }
        return _tokens[_count - 1];
    }

    private static int Likeliest(ReadOnlySpan<float> logits)
    {
        int best = 0;
        float max = float.NegativeInfinity;
        for (int i = 0; i < logits.Length; i++)
        {
            if (logits[i] > max)
                (best, max) = (i, logits[i]);
        }
        if (!float.IsFinite(max))
            throw new InputException("the model's logits hold no finite number: its weights, or those of an adapter, are damaged");
        return best;
    }

    // the k-th largest, by a heap of the k largest so far with the least of them on top
    private float Largest(ReadOnlySpan<float> logits, int k)
    {
        Span<float> heap = _weights.AsSpan(0, k);
        logits[..k].CopyTo(heap);
        for (int i = k / 2 - 1; i >= 0; i--)
            Sink(heap, i);
        foreach (float logit in logits[k..])
        {
            if (logit <= heap[0])
                continue;
            heap[0] = logit;
            Sink(heap, 0);
        }
        return heap[0];
    }

    private static void Sink(Span<float> heap, int at)
    {
        float value = heap[at];
        for (int child; (child = 2 * at + 1) < heap.Length; at = child)
        {
            if (child + 1 < heap.Length && heap[child + 1] < heap[child])
                child++;
            if (value <= heap[child])
                break;
            heap[at] = heap[child];
        }
        heap[at] = value;
    }
}
