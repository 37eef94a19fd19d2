using Lorikeet.Kernels.Reference;

namespace Lorikeet.Kernels.Tests;

public sealed unsafe class EmbeddingKernelTests
{
    [Fact]
    public void Rows_are_gathered_and_widened()
    {
        const int vocabulary = 11, dim = 37, ld = 40, rows = 6;
        int* ids = stackalloc int[rows] { 3, 0, 10, 3, -1, 7 };
        using FloatBlock table = FloatBlock.Random(1, vocabulary * ld), y = new(rows * 41), expected = new(rows * 41);
        EmbeddingKernel.Gather(table.P, DType.F32, ld, ids, rows, dim, y, 41);
        EmbeddingReference.Gather(table.P, DType.F32, ld, ids, rows, dim, expected, 41);
        y.ShouldEqualBits(expected, "f32");

        ushort* narrow = stackalloc ushort[vocabulary * ld];
        BlockFormats.Quantize(DType.BF16, table, vocabulary * ld, narrow);
        EmbeddingKernel.Gather(narrow, DType.BF16, ld, ids, rows, dim, y, 41);
        EmbeddingReference.Gather(narrow, DType.BF16, ld, ids, rows, dim, expected, 41);
        y.ShouldEqualBits(expected, "bf16");
        BlockFormats.Quantize(DType.F16, table, vocabulary * ld, narrow);
        EmbeddingKernel.Gather(narrow, DType.F16, ld, ids, rows, dim, y, 41);
        EmbeddingReference.Gather(narrow, DType.F16, ld, ids, rows, dim, expected, 41);
        y.ShouldEqualBits(expected, "f16");
    }

    [Fact]
    public void A_type_that_cannot_be_read_is_named()
    {
        int id = 0;
        float y;
        Exception? error = null;
        try
        {
            EmbeddingKernel.Gather(&y, DType.C64, 1, &id, 1, 1, &y, 1);
        }
        catch (ArgumentException e)
        {
            error = e;
        }
        error!.Message.ShouldContain("C64");
    }

    [Fact]
    public void Gradients_of_repeated_ids_add_up_in_row_order() => Tiers.Each(tier =>
    {
        const int vocabulary = 5, rows = 40;
        int* ids = stackalloc int[rows];
        for (int r = 0; r < rows; r++)
            ids[r] = r * 7 % vocabulary - (r % 11 == 0 ? vocabulary : 0);
        foreach (int dim in Tiers.Lengths.Concat([300]))
        {
            using FloatBlock dy = FloatBlock.Random(dim, rows * (dim + 1)), table = FloatBlock.Random(2, vocabulary * (dim + 2)), expected = table.Clone();
            EmbeddingKernel.ScatterAdd(dy, dim + 1, ids, rows, dim, table, dim + 2);
            EmbeddingReference.ScatterAdd(dy, dim + 1, ids, rows, dim, expected, dim + 2);
            table.ShouldEqualBits(expected, $"{tier} dim={dim}");
        }
    });
}
