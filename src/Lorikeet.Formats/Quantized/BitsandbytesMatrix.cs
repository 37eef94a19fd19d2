using System.Globalization;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>A matrix that was quantised as bitsandbytes does it: what its files hold, and the block format that products read.</summary>
internal sealed class BitsandbytesMatrix
{
    /// <summary>Elements of a block: the only size that its users meet.</summary>
    public const int Block = 64;

    private readonly NativeBuffer _codes;
    private readonly float[] _magnitudes;
    private readonly NestedMagnitudes? _nested;
    private readonly DType _sourceType;

    private BitsandbytesMatrix(string name, DType type, Shape shape, DType sourceType, NativeBuffer codes, float[] magnitudes)
    {
        (Name, Type, Shape, _sourceType, _codes, _magnitudes) = (name, type, shape, sourceType, codes, magnitudes);
        if (type is DType.NF4DQ or DType.FP4DQ)
        {
            _nested = NestedMagnitudes.Quantize(magnitudes);
            _nested.Restore(_magnitudes);
        }
    }

    /// <summary>What the model calls it.</summary>
    public string Name { get; }

    /// <summary>NF4, FP4, with or without double quantisation, or Int8Row.</summary>
    public DType Type { get; }

    /// <summary>Sizes.</summary>
    public Shape Shape { get; }

    /// <summary>Quantises a matrix, a part of its rows at a time.</summary>
    /// <exception cref="InputException">It holds what is no number.</exception>
    public static BitsandbytesMatrix Quantize(StoredTensor tensor, DType type)
    {
        Shape shape = Shape.From(tensor.Shape);
        Tensor whole = Tensor.FromBytes(tensor.Bytes, tensor.Type, shape);
        bool rows = type == DType.Int8Row;
        NativeBuffer codes = new(rows ? shape.Elements : (shape.Elements + 1) / 2, zeroed: false);
        float[] magnitudes = new float[rows ? shape.Rows : (shape.Elements + Block - 1) / Block];
        // blocks run on over the ends of rows; after 64 rows one always begins anew
        int most = Math.Max(1, (1 << 20) / Math.Max(1, shape.Columns) / Block) * Block;
        for (int first = 0; first < shape.Rows; first += most)
        {
            Tensor part = Tensor.Create(new Shape(Math.Min(most, shape.Rows - first), shape.Columns));
            for (int row = 0; row < part.Rows; row++)
                whole.ReadRow(first + row, part.Row(row));
            if (part.FirstNonFinite() is >= 0 and long at)
                throw new InputException(string.Create(CultureInfo.InvariantCulture, $"tensor {tensor.Name} holds {part.Values[(int)at]} in row {first + at / shape.Columns}: a model with such a weight computes nothing, and cannot be quantised"));
            if (rows)
                PackedWeights.QuantizeInt8(part, codes.Writable((long)first * shape.Columns, (int)part.Shape.Elements), magnitudes.AsSpan(first, part.Rows));
            else
                PackedWeights.QuantizeBnb4(type, part, Block, codes.Writable((long)first * shape.Columns / 2, (int)((part.Shape.Elements + 1) / 2)), magnitudes.AsSpan((int)((long)first * shape.Columns / Block)));
        }
        return new BitsandbytesMatrix(tensor.Name, type, shape, tensor.Type, codes, magnitudes);
    }

    /// <summary>As one tensor that products read in place; f32 where rows are not whole blocks.</summary>
    public StoredTensor InMemory()
    {
        NativeBytes bytes = Type == DType.Int8Row
            ? PackedWeights.Int8Rows(_codes.Bytes, _magnitudes, Shape, out DType stored)
            : PackedWeights.Bnb4(Type, _codes.Bytes, _magnitudes, Block, Shape, out stored);
        return new StoredTensor(Name, stored, Shape.ToArray(), bytes);
    }
}
