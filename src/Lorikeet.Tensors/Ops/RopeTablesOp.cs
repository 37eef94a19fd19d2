using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Cosines and sines of rotary embeddings.</summary>
public static unsafe class RopeTablesOp
{
    /// <summary>Tables for <see cref="RopeOp.Rope"/>; no derivative passes through them.</summary>
    /// <param name="tape">The step.</param>
    /// <param name="positions"><c>[rows]</c> i32.</param>
    /// <param name="frequencies"><c>[halfDim]</c>: radians per position.</param>
    /// <param name="factor">Multiplies both.</param>
    /// <returns><c>[rows, halfDim]</c> each.</returns>
    public static (Tensor Cos, Tensor Sin) RopeTables(this Tape tape, Tensor positions, ReadOnlySpan<float> frequencies, float factor)
    {
        Check.Indices("rotation", positions, positions.Shape.Elements);
        int rows = checked((int)positions.Shape.Elements);
        Tensor cos = tape.New(new Shape(rows, frequencies.Length));
        Tensor sin = tape.New(cos.Shape);
        fixed (float* f = frequencies)
            RopeKernel.Tables(positions.I, rows, f, frequencies.Length, factor, cos.F, sin.F);
        return (cos, sin);
    }
}
