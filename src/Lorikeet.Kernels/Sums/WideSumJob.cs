namespace Lorikeet.Kernels;

/// <summary>
/// The sum over a long vector in double, by pieces whose bounds depend on the length alone; the pieces' sums are added in order.
/// </summary>
internal unsafe struct WideSumJob<TTerm> : IVectorJob<WideSumJob<TTerm>>
    where TTerm : struct, IWideTerm
{
    private const int MostPieces = 256;

    private float* _a, _b;
    private long _n, _piece;
    private double* _sums;

    /// <summary>The sum.</summary>
    public static double Run(float* a, float* b, long n)
    {
        if (n <= 0)
            return 0;
        long piece = (Math.Max(VectorJob.Grain, (n + MostPieces - 1) / MostPieces) + 63) & ~63L;
        int pieces = (int)((n + piece - 1) / piece);
        double* sums = stackalloc double[MostPieces];
        WideSumJob<TTerm> job = new() { _a = a, _b = b, _n = n, _piece = piece, _sums = sums };
        VectorJob.Run(&job, pieces);
        double sum = 0;
        for (int i = 0; i < pieces; i++)
            sum += sums[i];
        return sum;
    }

    /// <inheritdoc/>
    public static void Part<S, V, D>(WideSumJob<TTerm>* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        long start = part * job->_piece;
        job->_sums[part] = RowSum.Wide<TTerm, S, V, D>(job->_a + start, job->_b + start, Math.Min(job->_piece, job->_n - start));
    }
}
