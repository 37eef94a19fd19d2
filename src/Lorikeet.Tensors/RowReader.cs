using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Reads rows of any storage as f32.</summary>
internal static unsafe class RowReader
{
    public static void Read(Tensor tensor, int row, float* to)
    {
        if (tensor.Type.IsBlocked())
        {
            BlockFormats.Dequantize(tensor.Type, tensor.Pointer, (long)row * tensor.Columns, tensor.Columns, to);
            return;
        }
        BlockFormats.Dequantize(tensor.Type, tensor.Pointer, row * tensor.RowStride, tensor.Columns, to);
    }
}
