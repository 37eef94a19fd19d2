using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Pieces of <see cref="AdamWKernel.Step"/>.</summary>
internal unsafe struct AdamWJob : IVectorJob<AdamWJob>
{
    public float* W, G, M, V2;
    public long N, PartElements;
    /// <summary>1 - lr * weight decay.</summary>
    public float Decay;
    /// <summary>1 - beta1.</summary>
    public float MixM;
    /// <summary>beta2.</summary>
    public float KeepV;
    /// <summary>1 - beta2.</summary>
    public float MixV;
    /// <summary>Square root of the second correction.</summary>
    public float RootCorrection;
    public float Epsilon;
    /// <summary>-lr / the first correction.</summary>
    public float Step;
    public float GradScale;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Part<S, V, D>(AdamWJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        long i = part * job->PartElements, end = Math.Min(i + job->PartElements, job->N);
        for (; i <= end - S.Count; i += S.Count)
            Update<S, V, D>(job, i);
        for (; S.Count > 1 && i < end; i++)
            Update<SimdScalar, float, double>(job, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Update<S, V, D>(AdamWJob* job, long i)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V g = S.Mul(S.Load(job->G + i), S.Create(job->GradScale));
        V w = S.Mul(S.Load(job->W + i), S.Create(job->Decay));
        V m = S.Load(job->M + i), v = S.Load(job->V2 + i);
        // torch's lerp starts from the nearer end
        m = job->MixM < 0.5f
            ? S.Fma(S.Create(job->MixM), S.Sub(g, m), m)
            : S.Fma(S.Create(job->MixM - 1), S.Sub(g, m), g);
        v = S.Fma(S.Mul(S.Create(job->MixV), g), g, S.Mul(v, S.Create(job->KeepV)));
        V denominator = S.Add(S.Div(S.Sqrt(v), S.Create(job->RootCorrection)), S.Create(job->Epsilon));
        S.Store(job->M + i, m);
        S.Store(job->V2 + i, v);
        S.Store(job->W + i, S.Add(w, S.Div(S.Mul(S.Create(job->Step), m), denominator)));
    }
}
