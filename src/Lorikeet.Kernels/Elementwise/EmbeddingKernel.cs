using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Rows of a table, and the derivative that adds to them.</summary>
public static unsafe class EmbeddingKernel
{
    /// <summary><c>y[r] = table[ids[r]]</c>, widened to f32; a negative id gives zeros. Ids must lie inside the table.</summary>
    /// <param name="table"><c>[vocabulary, dim]</c>.</param>
    /// <param name="type">Storage of the table: any type that <see cref="BlockFormats.CanDequantize"/> accepts.</param>
    /// <param name="ld">Elements between rows of the table.</param>
    /// <param name="ids"><c>[rows]</c>.</param>
    /// <param name="rows">Rows wanted.</param>
    /// <param name="dim">Elements of a row.</param>
    /// <param name="y"><c>[rows, dim]</c>.</param>
    /// <param name="ldy">Elements between rows of y.</param>
    /// <exception cref="ArgumentException">The storage type cannot be read.</exception>
    public static void Gather(void* table, DType type, long ld, int* ids, int rows, int dim, float* y, long ldy)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            EmbeddingReference.Gather(table, type, ld, ids, rows, dim, y, ldy);
            return;
        }
        if (!BlockFormats.CanDequantize(type))
            throw new ArgumentException($"{type} cannot be read as single precision", nameof(type));
        if (rows <= 0)
            return;
        int partRows = VectorJob.PartRows(rows, dim, VectorJob.Grain);
        EmbeddingJob job = new() { Table = table, Type = type, Ld = ld, Ids = ids, Y = y, Ldy = ldy, Rows = rows, Dim = dim, PartRows = partRows };
        ComputePool.Run(&EmbeddingJob.Part, &job, (rows + partRows - 1) / partRows);
    }

    /// <summary><c>dTable[ids[r]] += dy[r]</c> in the order of the rows; a negative id is passed over.</summary>
    public static void ScatterAdd(float* dy, long lddy, int* ids, int rows, int dim, float* dTable, long ld)
    {
        if (Isa.Tier == KernelTier.Reference)
        {
            EmbeddingReference.ScatterAdd(dy, lddy, ids, rows, dim, dTable, ld);
            return;
        }
        if (rows <= 0 || dim <= 0)
            return;
        int partColumns = (int)Math.Clamp((VectorJob.Grain / rows + 63) & ~63, 64, 4096);
        ScatterAddJob job = new()
        {
            Dy = dy, Lddy = lddy, Ids = ids, DTable = dTable, Ld = ld, Rows = rows, Dim = dim, PartColumns = partColumns,
        };
        VectorJob.Run(&job, (dim + partColumns - 1) / partColumns);
    }
}
