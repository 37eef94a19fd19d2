using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Pieces of <see cref="AdamW8Kernel.Step"/>.</summary>
internal unsafe struct AdamW8Job : IVectorJob<AdamW8Job>
{
    /// <summary>Blocks of a part.</summary>
    public const int PartBlocks = 64;

    /// <summary>The arithmetic; its moments are those of the block at hand.</summary>
    public AdamWJob Step;
    public byte* MeanCodes, SquareCodes;
    public float* MeanScales, SquareScales;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Part<S, V, D>(AdamW8Job* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        float* mean = stackalloc float[AdamW8Kernel.Block], square = stackalloc float[AdamW8Kernel.Block];
        long first = (long)part * PartBlocks * AdamW8Kernel.Block, end = Math.Min(first + PartBlocks * AdamW8Kernel.Block, job->Step.N);
        for (; first < end; first += AdamW8Kernel.Block)
        {
            int count = (int)Math.Min(AdamW8Kernel.Block, end - first);
            long block = first / AdamW8Kernel.Block;
            DynamicMapTable.Signed.Decode(job->MeanCodes + first, count, job->MeanScales[block], mean);
            DynamicMapTable.Unsigned.Decode(job->SquareCodes + first, count, job->SquareScales[block], square);
            AdamWJob step = job->Step;
            (step.N, step.PartElements) = (count, count);
            step.W += first;
            step.G += first;
            step.M = mean;
            step.V2 = square;
            AdamWJob.Part<S, V, D>(&step, 0);
            job->MeanScales[block] = Encode<S, V, D>(DynamicMapTable.Signed, mean, count, job->MeanCodes + first);
            job->SquareScales[block] = Encode<S, V, D>(DynamicMapTable.Unsigned, square, count, job->SquareCodes + first);
        }
    }

    private static float Encode<S, V, D>(DynamicMapTable table, float* x, int count, byte* codes)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V most = S.Create(0);
        int i = 0;
        for (; i <= count - S.Count; i += S.Count)
            most = S.Max(most, S.Abs(S.Load(x + i)));
        float scale = S.Largest(most);
        for (; i < count; i++)
            scale = MathF.Max(scale, MathF.Abs(x[i]));
        if (count < AdamW8Kernel.Block)
            scale = MathF.Max(scale, DynamicMap.LeastOfTail);
        table.Encode(x, count, scale == 0 ? 0 : 1 / scale, codes);
        return scale;
    }
}
