using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>The greatest magnitude of a long vector, and where its first NaN or infinity lies.</summary>
internal unsafe struct MaxAbsJob : IVectorJob<MaxAbsJob>
{
    private const int MostPieces = 256;

    private float* _x, _largest;
    private long _n, _piece;
    private long* _nonFinite;

    /// <summary>Greatest magnitude (NaN if any element is), and the index of the first element that is not finite, or -1.</summary>
    public static float Run(float* x, long n, out long firstNonFinite)
    {
        firstNonFinite = -1;
        if (n <= 0)
            return 0;
        long piece = (Math.Max(VectorJob.Grain, (n + MostPieces - 1) / MostPieces) + 63) & ~63L;
        int pieces = (int)((n + piece - 1) / piece);
        float* largest = stackalloc float[MostPieces];
        long* nonFinite = stackalloc long[MostPieces];
        MaxAbsJob job = new() { _x = x, _n = n, _piece = piece, _largest = largest, _nonFinite = nonFinite };
        VectorJob.Run(&job, pieces);
        float max = 0;
        for (int i = 0; i < pieces; i++)
        {
            max = MathF.Max(max, largest[i]);
            if (firstNonFinite < 0)
                firstNonFinite = nonFinite[i];
        }
        return max;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Part<S, V, D>(MaxAbsJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        long start = part * job->_piece, n = Math.Min(job->_piece, job->_n - start), i = 0, nonFinite = -1;
        float* x = job->_x + start;
        V max = S.Create(0), infinity = S.Create(float.PositiveInfinity);
        float rest = 0;
        for (; i <= n - S.Count; i += S.Count)
        {
            V size = S.Abs(S.Load(x + i));
            if (!S.AllLess(size, infinity))
                rest = Careful(x, i, S.Count, rest, ref nonFinite);
            else
                max = S.Max(max, size);
        }
        rest = Careful(x, i, n - i, rest, ref nonFinite);
        job->_largest[part] = MathF.Max(rest, S.Largest(max));
        job->_nonFinite[part] = nonFinite < 0 ? -1 : start + nonFinite;
    }

    private static float Careful(float* x, long at, long count, float max, ref long nonFinite)
    {
        for (long i = at; i < at + count; i++)
        {
            max = MathF.Max(max, MathF.Abs(x[i]));
            if (nonFinite < 0 && !float.IsFinite(x[i]))
                nonFinite = i;
        }
        return max;
    }
}
