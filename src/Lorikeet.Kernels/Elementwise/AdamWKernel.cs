using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>One step of AdamW over a flat buffer. Loshchilov and Hutter 2019.</summary>
public static unsafe class AdamWKernel
{
    /// <summary>
    /// In torch's order of operations: <c>w *= 1 - lr * weightDecay</c>; <c>m = lerp(m, g, 1 - beta1)</c>;
    /// <c>v = beta2 * v + (1 - beta2) * g * g</c>; <c>w -= lr / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)</c>.
    /// The factors are combined in double, as torch's Python does, and rounded once;
    /// the moments are fused where torch's CPU code fuses them, so weights come out bit-equal to it (but for rare last bits).
    /// </summary>
    /// <param name="w">Weights, updated.</param>
    /// <param name="g">Gradients, only read.</param>
    /// <param name="m">First moment, updated.</param>
    /// <param name="v">Second moment, updated.</param>
    /// <param name="n">Elements.</param>
    /// <param name="lr">Learning rate.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="weightDecay">Decoupled decay.</param>
    /// <param name="correction1"><c>1 - beta1^step</c>.</param>
    /// <param name="correction2"><c>1 - beta2^step</c>.</param>
    /// <param name="gradScale">Factor of the gradients (clipping), 1 for none.</param>
    public static void Step(float* w, float* g, float* m, float* v, long n, double lr, double beta1, double beta2, double epsilon,
        double weightDecay, double correction1, double correction2, float gradScale)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            AdamWReference.Step(w, g, m, v, n, lr, beta1, beta2, epsilon, weightDecay, correction1, correction2, gradScale);
            return;
        }
        if (n <= 0)
            return;
        AdamWJob job = Job(w, g, m, v, n, lr, beta1, beta2, epsilon, weightDecay, correction1, correction2, gradScale);
        VectorJob.Run(&job, (int)((n + job.PartElements - 1) / job.PartElements));
    }

    internal static AdamWJob Job(float* w, float* g, float* m, float* v, long n, double lr, double beta1, double beta2, double epsilon,
        double weightDecay, double correction1, double correction2, float gradScale) => new()
        {
            W = w, G = g, M = m, V2 = v, N = n, PartElements = (VectorJob.PartSize(n, VectorJob.Grain / 2) + 63) & ~63L,
            Decay = (float)(1 - lr * weightDecay), MixM = (float)(1 - beta1), KeepV = (float)beta2, MixV = (float)(1 - beta2),
            RootCorrection = (float)Math.Sqrt(correction2), Epsilon = (float)epsilon, Step = (float)(-lr / correction1), GradScale = gradScale,
        };
}
