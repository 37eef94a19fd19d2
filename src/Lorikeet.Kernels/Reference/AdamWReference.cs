namespace Lorikeet.Kernels.Reference;

/// <summary>AdamW by a plain loop, fused and rounded where torch's CPU code fuses and rounds.</summary>
internal static unsafe class AdamWReference
{
    /// <summary>See <see cref="AdamWKernel.Step"/>.</summary>
    public static void Step(float* w, float* g, float* m, float* v, long n, double lr, double beta1, double beta2, double epsilon,
        double weightDecay, double correction1, double correction2, float gradScale)
    {
        float decay = (float)(1 - lr * weightDecay), mixM = (float)(1 - beta1), keepV = (float)beta2, mixV = (float)(1 - beta2);
        float rootCorrection = (float)Math.Sqrt(correction2), step = (float)(-lr / correction1), eps = (float)epsilon;
        for (long i = 0; i < n; i++)
        {
            float gradient = g[i] * gradScale;
            float p = w[i] * decay;
            m[i] = mixM < 0.5f
                ? MathF.FusedMultiplyAdd(mixM, gradient - m[i], m[i])
                : MathF.FusedMultiplyAdd(mixM - 1, gradient - m[i], gradient);
            v[i] = MathF.FusedMultiplyAdd(mixV * gradient, gradient, v[i] * keepV);
            float denominator = MathF.Sqrt(v[i]) / rootCorrection + eps;
            w[i] = p + step * m[i] / denominator;
        }
    }
}
