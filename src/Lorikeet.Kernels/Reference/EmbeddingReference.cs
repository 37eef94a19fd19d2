namespace Lorikeet.Kernels.Reference;

/// <summary>Rows of a table by plain loops.</summary>
internal static unsafe class EmbeddingReference
{
    /// <summary>See <see cref="EmbeddingKernel.Gather"/>.</summary>
    public static void Gather(void* table, DType type, long ld, int* ids, int rows, int dim, float* y, long ldy)
    {
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < dim; i++)
                y[r * ldy + i] = ids[r] < 0 ? 0 : At(table, type, ids[r] * ld + i);
    }

    /// <summary>See <see cref="EmbeddingKernel.ScatterAdd"/>.</summary>
    public static void ScatterAdd(float* dy, long lddy, int* ids, int rows, int dim, float* dTable, long ld)
    {
        for (int r = 0; r < rows; r++)
            for (int i = 0; ids[r] >= 0 && i < dim; i++)
                dTable[ids[r] * ld + i] += dy[r * lddy + i];
    }

    private static float At(void* table, DType type, long at) => type switch
    {
        DType.F32 => ((float*)table)[at],
        DType.BF16 => BitConverter.Int32BitsToSingle(((ushort*)table)[at] << 16),
        DType.F16 => (float)((Half*)table)[at],
        DType.F64 => (float)((double*)table)[at],
        _ => Unpacked(table, type, at),
    };

    private static float Unpacked(void* table, DType type, long at)
    {
        float value;
        BlockFormats.Dequantize(type, table, at, 1, &value);
        return value;
    }
}
