using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>
/// One step of AdamW whose moments are kept in eight bits each (Dettmers et al. 2021, arXiv:2110.02861): codes of the <see cref="DynamicMap"/>, a magnitude
/// for each block of 256.
/// </summary>
public static unsafe class AdamW8Kernel
{
    /// <summary>Elements that share a magnitude, counted from the first of a tensor.</summary>
    public const int Block = 256;

    /// <summary>Magnitudes of as many elements.</summary>
    public static long Blocks(long elements) => (elements + Block - 1) / Block;

    /// <summary>
    /// Block by block: the moments are read, <see cref="AdamWKernel.Step"/> is done in singles, and the moments are written as the nearest codes under the
    /// largest magnitude of the block. Codes and magnitudes of a fresh optimiser are those of zeros (<see cref="Clear"/>).
    /// </summary>
    /// <param name="w">Weights, updated.</param>
    /// <param name="g">Gradients, only read.</param>
    /// <param name="meanCodes">First moment in the signed map.</param>
    /// <param name="meanScales">Its magnitudes.</param>
    /// <param name="squareCodes">Second moment in the unsigned map.</param>
    /// <param name="squareScales">Its magnitudes.</param>
    /// <param name="n">Elements; the first begins a block.</param>
    /// <param name="lr">Learning rate.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="weightDecay">Decoupled decay.</param>
    /// <param name="correction1"><c>1 - beta1^step</c>.</param>
    /// <param name="correction2"><c>1 - beta2^step</c>.</param>
    /// <param name="gradScale">Factor of the gradients (clipping), 1 for none.</param>
    public static void Step(float* w, float* g, byte* meanCodes, float* meanScales, byte* squareCodes, float* squareScales, long n, double lr, double beta1, double beta2,
        double epsilon, double weightDecay, double correction1, double correction2, float gradScale)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            AdamW8Reference.Step(w, g, meanCodes, meanScales, squareCodes, squareScales, n, lr, beta1, beta2, epsilon, weightDecay, correction1, correction2, gradScale);
            return;
        }
        if (n <= 0)
            return;
        AdamW8Job job = new()
        {
            Step = AdamWKernel.Job(w, g, null, null, n, lr, beta1, beta2, epsilon, weightDecay, correction1, correction2, gradScale),
            MeanCodes = meanCodes, MeanScales = meanScales, SquareCodes = squareCodes, SquareScales = squareScales,
        };
        VectorJob.Run(&job, checked((int)((Blocks(n) + AdamW8Job.PartBlocks - 1) / AdamW8Job.PartBlocks)));
    }

    /// <summary>Writes moments of zero: what a map calls zero, and magnitudes of zero.</summary>
    public static void Clear(byte* meanCodes, float* meanScales, byte* squareCodes, float* squareScales, long n)
    {
        new Span<float>(meanScales, (int)Blocks(n)).Clear();
        new Span<float>(squareScales, (int)Blocks(n)).Clear();
        byte mean = DynamicMap.Nearest(DynamicMap.Signed, 0), square = DynamicMap.Nearest(DynamicMap.Unsigned, 0);
        System.Runtime.InteropServices.NativeMemory.Fill(meanCodes, (nuint)n, mean);
        System.Runtime.InteropServices.NativeMemory.Fill(squareCodes, (nuint)n, square);
    }
}
