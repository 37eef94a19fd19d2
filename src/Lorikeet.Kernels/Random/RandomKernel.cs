using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>
/// Random numbers that are a function of seed, counter and index (Philox4x32-10), so they come out the same on any machine and number of
/// threads, and a mask can be made again instead of kept. Element i reads word <c>i mod 4</c> of block <c>counter + i / 4</c>:
/// n elements use up <see cref="Blocks"/> counters.
/// </summary>
public static unsafe class RandomKernel
{
    /// <summary>How far n elements advance the counter.</summary>
    public static ulong Blocks(long n) => (ulong)(n + 3) / 4;

    /// <summary>Uniform numbers, at least <paramref name="low"/> and (but for rounding) below <paramref name="high"/>; 24 random bits each.</summary>
    public static void Uniform(ulong seed, ulong counter, float* y, long n, float low, float high)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RandomReference.Uniform(seed, counter, y, n, low, high);
            return;
        }
        RandomJob.Run(new() { Use = RandomUse.Uniform, Seed = seed, Counter = counter, Y = y, N = n, A = low, B = high - low });
    }

    /// <summary>Normal numbers by the method of Box and Muller, a pair from a pair.</summary>
    public static void Normal(ulong seed, ulong counter, float* y, long n, float mean, float std)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RandomReference.Normal(seed, counter, y, n, mean, std);
            return;
        }
        RandomJob.Run(new() { Use = RandomUse.Normal, Seed = seed, Counter = counter, Y = y, N = n, A = mean, B = std });
    }

    /// <summary><c>y[i] = u[i] &lt; p ? 0 : x[i] / (1 - p)</c> with u uniform; y may be x.</summary>
    public static void DropoutForward(float* x, float* y, long n, float p, ulong seed, ulong counter)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RandomReference.Dropout(x, y, n, p, seed, counter, accumulate: false);
            return;
        }
        Dropout(x, y, accumulate: false, n, p, seed, counter);
    }

    /// <summary>Derivative of <see cref="DropoutForward"/> with the same seed and counter: the mask is made again. dx may be dy.</summary>
    public static void DropoutBackward(float* dy, float* dx, bool accumulate, long n, float p, ulong seed, ulong counter)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            RandomReference.Dropout(dy, dx, n, p, seed, counter, accumulate);
            return;
        }
        Dropout(dy, dx, accumulate, n, p, seed, counter);
    }

    private static void Dropout(float* x, float* y, bool accumulate, long n, float p, ulong seed, ulong counter)
        => RandomJob.Run(new()
        {
            Use = RandomUse.Dropout, Seed = seed, Counter = counter, X = x, Y = y, N = n, A = p, B = p < 1 ? 1 / (1 - p) : 0, Accumulate = accumulate,
        });
}
