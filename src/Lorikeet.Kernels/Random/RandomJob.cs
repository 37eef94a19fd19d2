using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Pieces of a random stream and what is made of its words.</summary>
internal unsafe struct RandomJob : IVectorJob<RandomJob>
{
    private const int ChunkWords = 512;
    private const int PartWords = 16 * ChunkWords;

    public ulong Seed, Counter;
    public RandomUse Use;
    public float* X, Y;
    public long N;
    /// <summary>Least value, mean, or share that is dropped.</summary>
    public float A;
    /// <summary>Breadth, deviation, or factor of what is kept.</summary>
    public float B;
    public bool Accumulate;

    /// <summary>Runs it in pieces.</summary>
    public static void Run(RandomJob job) => VectorJob.Run(&job, (int)((job.N + PartWords - 1) / PartWords));

    /// <inheritdoc/>
    public static void Part<S, V, D>(RandomJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        uint* words = stackalloc uint[ChunkWords];
        long end = Math.Min((part + 1L) * PartWords, job->N);
        for (long first = (long)part * PartWords; first < end; first += ChunkWords)
        {
            int count = (int)Math.Min(ChunkWords, end - first);
            PhiloxVectors.Fill(job->Seed, job->Counter + (ulong)(first / 4), words, (count + 3) / 4, S.Count);
            if (job->Use == RandomUse.Normal)
                Normal(words, job->A, job->B, job->Y + first, count);
            else if (job->Use == RandomUse.Uniform)
                Uniform<S, V, D>(words, job->A, job->B, job->Y + first, count);
            else
                Dropout<S, V, D>(words, job->A, job->B, job->X + first, job->Y + first, job->Accumulate, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Uniform<S, V, D>(uint* words, float low, float breadth, float* y, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V least = S.Create(low), scale = S.Create(breadth);
        int i = 0;
        // never fused: a processor without that would draw other numbers
        for (; i <= n - S.Count; i += S.Count)
            S.Store(y + i, S.Add(least, S.Mul(scale, S.LoadUnit(words + i))));
        for (; i < n; i++)
            y[i] = low + breadth * Philox.Unit(words[i]);
    }

    private static void Normal(uint* words, float mean, float deviation, float* y, int n)
    {
        for (int i = 0; i < n; i += 2)
        {
            // 1 - u keeps the logarithm finite
            double radius = deviation * Math.Sqrt(-2 * Math.Log(1 - (double)Philox.Unit(words[i])));
            (double sin, double cos) = Math.SinCos(2 * Math.PI * Philox.Unit(words[i + 1]));
            y[i] = (float)(mean + radius * cos);
            if (i + 1 < n)
                y[i + 1] = (float)(mean + radius * sin);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dropout<S, V, D>(uint* words, float share, float factor, float* x, float* y, bool accumulate, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V dropped = S.Create(share), scale = S.Create(factor), zero = S.Create(0);
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
        {
            V kept = S.Select(S.Less(S.LoadUnit(words + i), dropped), zero, S.Mul(S.Load(x + i), scale));
            S.Store(y + i, accumulate ? S.Add(S.Load(y + i), kept) : kept);
        }
        for (; i < n; i++)
            y[i] = (accumulate ? y[i] : 0) + (Philox.Unit(words[i]) < share ? 0 : x[i] * factor);
    }
}
