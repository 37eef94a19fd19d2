using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels;

/// <summary>Rows of a table, and the derivative that adds to them.</summary>
public static unsafe class EmbeddingKernel
{
    /// <summary><c>y[r] = table[ids[r]]</c>, widened to f32; a negative id gives zeros. Ids must lie inside the table.</summary>
    /// <param name="table"><c>[vocabulary, dim]</c>.</param>
    /// <param name="type">Storage of the table.</param>
    /// <param name="ld">Elements between rows of the table.</param>
    /// <param name="ids"><c>[rows]</c>.</param>
    /// <param name="rows">Rows wanted.</param>
    /// <param name="dim">Elements of a row.</param>
    /// <param name="y"><c>[rows, dim]</c>.</param>
    /// <param name="ldy">Elements between rows of y.</param>
    public static void Gather(void* table, DType type, long ld, int* ids, int rows, int dim, float* y, long ldy)
        => EmbeddingReference.Gather(table, type, ld, ids, rows, dim, y, ldy);

    /// <summary><c>dTable[ids[r]] += dy[r]</c> in the order of the rows; a negative id is passed over.</summary>
    public static void ScatterAdd(float* dy, long lddy, int* ids, int rows, int dim, float* dTable, long ld)
        => EmbeddingReference.ScatterAdd(dy, lddy, ids, rows, dim, dTable, ld);
}
