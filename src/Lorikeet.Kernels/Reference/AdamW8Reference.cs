namespace Lorikeet.Kernels.Reference;

/// <summary>AdamW with moments of eight bits in so many words: read them, step, write them.</summary>
internal static unsafe class AdamW8Reference
{
    /// <summary>See <see cref="AdamW8Kernel.Step"/>.</summary>
    public static void Step(float* w, float* g, byte* meanCodes, float* meanScales, byte* squareCodes, float* squareScales, long n, double lr, double beta1, double beta2,
        double epsilon, double weightDecay, double correction1, double correction2, float gradScale)
    {
        float* mean = stackalloc float[AdamW8Kernel.Block], square = stackalloc float[AdamW8Kernel.Block];
        for (long first = 0; first < n; first += AdamW8Kernel.Block)
        {
            int count = (int)Math.Min(AdamW8Kernel.Block, n - first);
            long block = first / AdamW8Kernel.Block;
            Span<byte> means = new(meanCodes + first, count), squares = new(squareCodes + first, count);
            Span<float> meanScale = new(meanScales + block, 1), squareScale = new(squareScales + block, 1);
            DynamicMap.Dequantize(DynamicMap.Signed, means, meanScale, AdamW8Kernel.Block, new Span<float>(mean, count));
            DynamicMap.Dequantize(DynamicMap.Unsigned, squares, squareScale, AdamW8Kernel.Block, new Span<float>(square, count));
            AdamWReference.Step(w + first, g + first, mean, square, count, lr, beta1, beta2, epsilon, weightDecay, correction1, correction2, gradScale);
            DynamicMap.Quantize(DynamicMap.Signed, new Span<float>(mean, count), AdamW8Kernel.Block, means, meanScale);
            DynamicMap.Quantize(DynamicMap.Unsigned, new Span<float>(square, count), AdamW8Kernel.Block, squares, squareScale);
        }
    }
}
