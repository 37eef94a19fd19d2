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
        int rows = checked((int)positions.Shape.Elements);
        Tensor cos = tape.New(new Shape(rows, frequencies.Length));
        Tensor sin = tape.New(cos.Shape);
        FillRopeTables(positions, 0, rows, frequencies, factor, cos, sin);
        return (cos, sin);
    }

    /// <summary>Some rows of such tables, where sequences have frequencies of their own.</summary>
    /// <param name="positions"><c>[rows]</c> i32.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="frequencies"><c>[halfDim]</c>: radians per position.</param>
    /// <param name="factor">Multiplies both.</param>
    /// <param name="cos"><c>[rows, halfDim]</c>.</param>
    /// <param name="sin"><c>[rows, halfDim]</c>.</param>
    public static void FillRopeTables(Tensor positions, int first, int count, ReadOnlySpan<float> frequencies, float factor, Tensor cos, Tensor sin)
    {
        ArgumentNullException.ThrowIfNull(cos);
        ArgumentNullException.ThrowIfNull(sin);
        Check.Indices("rotation", positions, cos.Rows);
        Check.Vector("rotation", cos, (long)cos.Rows * frequencies.Length);
        Check.Vector("rotation", sin, cos.Shape.Elements);
        if (first < 0 || count < 0 || first > cos.Rows - count)
            throw new ArgumentException($"rotation: {count} rows from {first} of {cos}");
        long from = (long)first * frequencies.Length;
        fixed (float* f = frequencies)
            RopeKernel.Tables(positions.I + first, count, f, frequencies.Length, factor, cos.F + from, sin.F + from);
    }
}
