using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Reads rows of any storage as f32.</summary>
internal static unsafe class RowReader
{
    public static void Read(Tensor tensor, int row, float* to)
    {
        long first = row * (tensor.Type.IsBlocked() ? tensor.Columns : tensor.RowStride);
        BlockFormats.Dequantize(tensor.Type, tensor.Pointer, first, tensor.Columns, to);
        if (tensor.Order is { } order)
            ColumnOrder.Restore((int*)order.Pointer, to, 1, tensor.Columns);
    }

    /// <summary>All rows of a contiguous tensor, on all threads.</summary>
    public static void ReadAll(Tensor tensor, float* to)
    {
        BlockFormats.DequantizeParallel(tensor.Type, tensor.Pointer, tensor.Shape.Elements, to);
        if (tensor.Order is { } order)
            ColumnOrder.Restore((int*)order.Pointer, to, tensor.Rows, tensor.Columns);
    }
}
