using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary><c>dGate = dy * up * act'(gate)</c> and <c>dUp = dy * act(gate)</c>, both from one evaluation.</summary>
internal unsafe struct GatedBackwardJob<TActivation> : IVectorJob<GatedBackwardJob<TActivation>>
    where TActivation : struct, IActivation
{
    public float* Dy, Gate, Up, DGate, DUp;
    public long Lddy, Ldg, Ldu, Lddg, Lddu;
    public int Rows, Dim, PartRows;

    public static void Part<S, V, D>(GatedBackwardJob<TActivation>* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->PartRows, last = Math.Min(first + job->PartRows, job->Rows);
        for (int r = first; r < last; r++)
        {
            Line<S, V, D>(job->Dy + r * job->Lddy, job->Gate + r * job->Ldg, job->Up + r * job->Ldu,
                job->DGate + r * job->Lddg, job->DUp + r * job->Lddu, job->Dim);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<S, V, D>(float* dy, float* gate, float* up, float* dGate, float* dUp, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
            Step<S, V, D>(dy + i, gate + i, up + i, dGate + i, dUp + i);
        for (; S.Count > 1 && i < n; i++)
            Step<SimdScalar, float, double>(dy + i, gate + i, up + i, dGate + i, dUp + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S, V, D>(float* dy, float* gate, float* up, float* dGate, float* dUp)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        V d = S.Load(dy), u = S.Load(up);
        V value = TActivation.Both<S, V, D>(S.Load(gate), out V derivative);
        S.Store(dGate, S.Mul(S.Mul(d, u), derivative));
        S.Store(dUp, S.Mul(d, value));
    }
}
