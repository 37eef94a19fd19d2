namespace Lorikeet.Kernels.Reference;

/// <summary>The random streams one element at a time.</summary>
internal static unsafe class RandomReference
{
    /// <summary>Word i of a stream.</summary>
    public static uint Word(ulong seed, ulong counter, long i)
    {
        (uint x0, uint x1, uint x2, uint x3) = Philox.Block(seed, counter + (ulong)(i >> 2), 0);
        return (i & 3) switch { 0 => x0, 1 => x1, 2 => x2, _ => x3 };
    }

    /// <summary>See <see cref="RandomKernel.Uniform"/>.</summary>
    public static void Uniform(ulong seed, ulong counter, float* y, long n, float low, float high)
    {
        for (long i = 0; i < n; i++)
            y[i] = low + (high - low) * Philox.Unit(Word(seed, counter, i));
    }

    /// <summary>See <see cref="RandomKernel.Normal"/>.</summary>
    public static void Normal(ulong seed, ulong counter, float* y, long n, float mean, float std)
    {
        for (long i = 0; i < n; i++)
        {
            // Box and Muller: words 2j and 2j+1 give elements 2j (cosine) and 2j+1 (sine); 1 - u keeps the logarithm finite
            double radius = Math.Sqrt(-2 * Math.Log(1 - (double)Philox.Unit(Word(seed, counter, i & ~1L))));
            double angle = 2 * Math.PI * Philox.Unit(Word(seed, counter, i | 1));
            y[i] = (float)(mean + std * radius * ((i & 1) == 0 ? Math.Cos(angle) : Math.Sin(angle)));
        }
    }

    /// <summary>See <see cref="RandomKernel.DropoutForward"/>.</summary>
    public static void Dropout(float* x, float* y, long n, float p, ulong seed, ulong counter, bool accumulate)
    {
        float scale = p < 1 ? 1 / (1 - p) : 0;
        for (long i = 0; i < n; i++)
            y[i] = (accumulate ? y[i] : 0) + (Philox.Unit(Word(seed, counter, i)) >= p ? x[i] * scale : 0);
    }
}
