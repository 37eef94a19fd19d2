namespace Lorikeet.Tensors;

/// <summary>Sizes that do not fit are a mistake of the caller: say which op, what it got, what it wanted.</summary>
internal static class Check
{
    public static void Columns(string op, Tensor tensor, int columns)
    {
        if (tensor.Columns != columns)
            throw new ArgumentException($"{op}: {tensor} has {tensor.Columns} columns, {columns} were expected");
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
}
