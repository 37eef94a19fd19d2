using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Columns of <see cref="EmbeddingKernel.ScatterAdd"/>: each part adds all rows, in order, to columns of its own.</summary>
internal unsafe struct ScatterAddJob : IVectorJob<ScatterAddJob>
{
    public float* Dy, DTable;
    public long Lddy, Ld;
    public int* Ids;
    public int Rows, Dim, PartColumns;

    /// <inheritdoc/>
    public static void Part<S, V, D>(ScatterAddJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int start = part * job->PartColumns, count = Math.Min(job->PartColumns, job->Dim - start);
        for (int r = 0; r < job->Rows; r++)
        {
            if (job->Ids[r] >= 0)
                Line<S, V, D>(job->Dy + r * job->Lddy + start, job->DTable + job->Ids[r] * job->Ld + start, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Line<S, V, D>(float* x, float* y, int n)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int i = 0;
        for (; i <= n - S.Count; i += S.Count)
            S.Store(y + i, S.Add(S.Load(y + i), S.Load(x + i)));
        for (; i < n; i++)
            y[i] += x[i];
    }
}
