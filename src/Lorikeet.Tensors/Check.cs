using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>
/// What kernels take on trust: types, sizes, gaps. What does not fit is a mistake of the caller: say which op, what it got, what it wanted.
/// </summary>
internal static class Check
{
    public static void Columns(string op, Tensor tensor, int columns)
    {
        if (tensor.Columns != columns)
            throw new ArgumentException($"{op}: {tensor} has {tensor.Columns} columns, {columns} were expected");
    }

    public static void Rows(string op, Tensor tensor, int rows)
    {
        if (tensor.Rows != rows)
            throw new ArgumentException($"{op}: {tensor} has {tensor.Rows} rows, {rows} were expected");
    }

    public static void SameShape(string op, Tensor a, Tensor b)
    {
        if (a.Rows != b.Rows || a.Columns != b.Columns)
            throw new ArgumentException($"{op}: {a} and {b} differ in shape");
    }

    public static void Contiguous(string op, Tensor tensor)
    {
        if (!tensor.IsContiguous)
            throw new ArgumentException($"{op}: {tensor} has gaps between its rows");
    }

    /// <summary>Activations are f32, and still there.</summary>
    public static void F32(string op, Tensor tensor)
    {
        tensor.CheckAlive();
        if (tensor.Type != DType.F32)
            throw new ArgumentException($"{op}: {tensor} is not f32");
    }

    /// <summary>A weight can be of any storage that can be widened; only one in f32 can get a derivative.</summary>
    public static void Weight(string op, Tensor tensor)
    {
        if (!BlockFormats.CanDequantize(tensor.Type))
            throw new ArgumentException($"{op}: {tensor} cannot be widened to f32");
        if (tensor.RequiresGrad)
            F32(op, tensor);
    }

    /// <summary>F32 numbers one after another, of any shape.</summary>
    public static void Vector(string op, Tensor tensor, long count)
    {
        tensor.CheckAlive();
        if (tensor.Type != DType.F32 || tensor.Shape.Elements != count || !tensor.IsContiguous)
            throw new ArgumentException($"{op}: {tensor} was given where {count} f32 numbers in a row were expected");
    }

    /// <summary>Integers one after another, of any shape.</summary>
    public static void Indices(string op, Tensor tensor, long count)
    {
        tensor.CheckAlive();
        if (tensor.Type != DType.I32 || tensor.Shape.Elements != count || !tensor.IsContiguous)
            throw new ArgumentException($"{op}: {tensor} was given where {count} i32 numbers in a row were expected");
    }

    /// <summary>An op may work in a tensor's memory where no derivative reads it again, and in no parameter's.</summary>
    public static void Overwritable(string op, Tensor tensor)
    {
        F32(op, tensor);
        Tensor root = Tape.Root(tensor);
        if (root is { OnTape: false, RequiresGrad: true })
            throw new ArgumentException($"{op} works in the memory of {tensor}, which is trained");
        if (root.Storage is { Saved: true })
            throw new ArgumentException($"{op} works in the memory of {tensor}, which the derivative of an earlier op will read");
    }
}
