using System.Globalization;
using System.Runtime.InteropServices;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A matrix that was quantised as bitsandbytes does it: what its files hold, and the block format that products read.</summary>
internal sealed class BitsandbytesMatrix : IDisposable
{
    /// <summary>Elements of a block: the only size that its users meet.</summary>
    public const int Block = 64;

    private readonly float[] _magnitudes;

    private BitsandbytesMatrix(string name, DType type, Shape shape)
    {
        (Name, Type, Shape) = (name, type, shape);
        bool rows = type == DType.Int8Row;
        Codes = new NativeBuffer(rows ? shape.Elements : (shape.Elements + 1) / 2, zeroed: false);
        _magnitudes = new float[rows ? shape.Rows : (shape.Elements + Block - 1) / Block];
    }

    /// <summary>What the model calls it.</summary>
    public string Name { get; }

    /// <summary>NF4, FP4, with or without double quantisation, or Int8Row.</summary>
    public DType Type { get; }

    /// <summary>Sizes.</summary>
    public Shape Shape { get; }

    /// <summary>Indices, two to a byte, or signed bytes.</summary>
    public NativeBuffer Codes { get; }

    /// <summary>One for each block, or each row; those of double quantisation as they are restored.</summary>
    public ReadOnlySpan<byte> Magnitudes => MemoryMarshal.AsBytes(_magnitudes.AsSpan());

    /// <summary>Of double quantisation.</summary>
    public NestedMagnitudes? Nested { get; private set; }

    /// <summary>Quantises a matrix, a part of its rows at a time; one that is in such blocks already is taken apart.</summary>
    /// <exception cref="InputException">It holds what is no number.</exception>
    public static BitsandbytesMatrix Of(string name, Tensor value, DType type)
    {
        BitsandbytesMatrix matrix = new(name, type, value.Shape);
        if (value.Type == type)
        {
            matrix.Nested = PackedWeights.TakeApart(value, matrix.Codes.Span, matrix._magnitudes);
        }
        else
        {
            matrix.Quantize(value);
        }
        if (type is DType.NF4DQ or DType.FP4DQ && matrix.Nested is null)
        {
            matrix.Nested = NestedMagnitudes.Quantize(matrix._magnitudes);
            matrix.Nested.Restore(matrix._magnitudes);
        }
        return matrix;
    }

    /// <summary>As one tensor that products read in place; f32 where rows are not whole blocks.</summary>
    public StoredTensor InMemory()
    {
        DType stored = Type;
        NativeBytes bytes = Type == DType.Int8Row ? PackedWeights.Int8Rows(Codes.Bytes, _magnitudes, Shape, out stored)
            : Nested is not null && PackedWeights.Bnb4Fits(Shape, Block) ? PackedWeights.Bnb4Nested(Type, Codes.Bytes, Nested, Block, Shape)
            : PackedWeights.Bnb4(Type, Codes.Bytes, _magnitudes, Block, Shape, out stored);
        return new StoredTensor(Name, stored, Shape.ToArray(), bytes);
    }

    /// <summary>Frees the codes at once: one matrix may be most of what is in memory.</summary>
    public void Dispose() => Codes.Dispose();

    private void Quantize(Tensor value)
    {
        // blocks run on over the ends of rows; after 64 rows one always begins anew
        int columns = Shape.Columns, most = Math.Max(1, (1 << 20) / Math.Max(1, columns) / Block) * Block;
        for (int first = 0; first < Shape.Rows; first += most)
        {
            Tensor part = Tensor.Create(new Shape(Math.Min(most, Shape.Rows - first), columns));
            for (int row = 0; row < part.Rows; row++)
                value.ReadRow(first + row, part.Row(row));
            if (part.FirstNonFinite() is >= 0 and long at)
                throw new InputException(string.Create(CultureInfo.InvariantCulture, $"tensor {Name} holds {part.Values[(int)at]} in row {first + at / columns}: a model with such a weight computes nothing, and cannot be quantised"));
            long begin = (long)first * columns;
            if (Type == DType.Int8Row)
                PackedWeights.QuantizeInt8(part, Codes.Writable(begin, (int)part.Shape.Elements), _magnitudes.AsSpan(first, part.Rows));
            else
                PackedWeights.QuantizeBnb4(Type, part, Block, Codes.Writable(begin / 2, (int)((part.Shape.Elements + 1) / 2)), _magnitudes.AsSpan((int)(begin / Block)));
        }
    }
}
