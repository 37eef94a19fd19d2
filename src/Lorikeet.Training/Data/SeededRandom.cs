namespace Lorikeet.Training;

/// <summary>Random whole numbers that depend on the seed alone, on every machine and version of .NET: SplitMix64 (Steele, Lea and Flood 2014).</summary>
internal struct SeededRandom
{
    private ulong _state;

    /// <summary>A stream of numbers for each pair.</summary>
    public SeededRandom(int seed, int stream)
    {
        _state = (uint)seed;
        _state = Next() ^ (uint)stream;
        Next();
    }

    /// <summary>A whole number from 0 to <paramref name="end"/> − 1, each equally likely.</summary>
    public int Below(int end)
    {
        // Lemire 2019: the upper word of a product, and again in the rare case that would favour some numbers
        while (true)
        {
            ulong product = (Next() >> 32) * (uint)end;
            if ((uint)product >= (uint)(-end) % (uint)end)
                return (int)(product >> 32);
        }
    }

    /// <summary>Puts numbers into a random order (Fisher and Yates).</summary>
    public void Shuffle(Span<int> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    private ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
}
