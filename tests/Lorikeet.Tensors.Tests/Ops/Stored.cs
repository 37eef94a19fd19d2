using System.Buffers.Binary;
using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>Weights in the storage of a file.</summary>
internal static unsafe class Stored
{
    /// <summary>
    /// The numbers rounded to a float type. For a block format the numbers only choose the codes: small scales, and a byte of code for each.
    /// </summary>
    public static Tensor Make(DType type, Shape shape, float[] values)
    {
        Tensor tensor = Tensor.Create(shape, type);
        fixed (float* from = values)
        {
            if (!type.IsBlocked())
                BlockFormats.Quantize(type, from, values.Length, tensor.Pointer);
        }
        if (!type.IsBlocked())
            return tensor;
        Span<byte> bytes = new(tensor.Pointer, (int)tensor.Bytes);
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(values[i % values.Length] * 127);
        for (int block = 0; block < bytes.Length; block += type.BlockBytes())
        {
            BinaryPrimitives.WriteHalfLittleEndian(bytes[block..], (Half)0.01f);
            if (type == DType.Q4_K)
                BinaryPrimitives.WriteHalfLittleEndian(bytes[(block + 2)..], (Half)0.005f);
        }
        return tensor;
    }
}
