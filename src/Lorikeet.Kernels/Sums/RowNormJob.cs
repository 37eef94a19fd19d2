namespace Lorikeet.Kernels;

/// <summary>The Euclidean norm of each row.</summary>
internal unsafe struct RowNormJob : IVectorJob<RowNormJob>
{
    private float* _w, _norms;
    private long _ldw;
    private int _rows, _dim, _partRows;

    /// <summary>Runs it.</summary>
    public static void Run(float* w, long ldw, int rows, int dim, float* norms)
    {
        if (rows <= 0)
            return;
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        RowNormJob job = new() { _w = w, _norms = norms, _ldw = ldw, _rows = rows, _dim = dim, _partRows = partRows };
        VectorJob.Run(&job, (rows + partRows - 1) / partRows);
    }

    /// <inheritdoc/>
    public static void Part<S, V, D>(RowNormJob* job, int part)
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
    {
        int first = part * job->_partRows, last = Math.Min(first + job->_partRows, job->_rows);
        for (int r = first; r < last; r++)
        {
            float* row = job->_w + r * job->_ldw;
            job->_norms[r] = (float)Math.Sqrt(RowSum.Wide<ProductTerm, S, V, D>(row, row, job->_dim));
        }
    }
}
