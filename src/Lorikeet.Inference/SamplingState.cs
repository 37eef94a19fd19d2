namespace Lorikeet.Inference;

/// <summary>What choosing tokens remembers of one sequence: which tokens occurred, and how far its random numbers are.</summary>
public sealed class SamplingState
{
    private readonly int[]? _occurrences;
    private readonly int[]? _seen;
    private readonly bool[]? _isSeen;
    private ulong _random;

    /// <summary>The state after the prompt.</summary>
    /// <param name="options">How tokens are chosen.</param>
    /// <param name="vocabulary">How many tokens there are.</param>
    /// <param name="prompt">Its tokens count for the repetition penalty.</param>
    public SamplingState(SamplingOptions options, int vocabulary, ReadOnlySpan<int> prompt)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Options = options;
        _random = options.Seed;
        if (!options.Penalizes)
            return;
        _occurrences = new int[vocabulary];
        _seen = new int[vocabulary];
        _isSeen = new bool[vocabulary];
        foreach (int token in prompt)
            See(token);
    }

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Options { get; }

    /// <summary>Every token that occurred, once.</summary>
    internal ReadOnlySpan<int> Seen => _seen.AsSpan(0, SeenCount);

    private int SeenCount { get; set; }

    /// <summary>How often the answer holds a token.</summary>
    internal int Occurrences(int token) => _occurrences![token];

    /// <summary>Counts a token of the answer.</summary>
    internal void Count(int token)
    {
        if (_occurrences is null)
            return;
        _occurrences[token]++;
        See(token);
    }

    /// <summary>A random number from 0 to below 1: SplitMix64 (Steele, Lea and Flood 2014).</summary>
    internal double Draw()
    {
        ulong z = _random += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return ((z ^ z >> 31) >> 11) * (1.0 / (1UL << 53));
    }

    private void See(int token)
    {
        if (_isSeen![token])
            return;
        _isSeen[token] = true;
        _seen![SeenCount++] = token;
    }
}
