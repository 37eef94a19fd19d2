using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>Makes weights of one piece from the separate tensors of quantised checkpoints. Sizes must have been checked.</summary>
public static unsafe class PackedWeights
{
    /// <summary>A matrix of bitsandbytes' 4-bit formats: blocks where a row is whole blocks of 64, else f32.</summary>
    /// <param name="type">One of the four.</param>
    /// <param name="packed">Indices, two to a byte.</param>
    /// <param name="magnitudes">One for each block of the flattened matrix.</param>
    /// <param name="block">Elements of a block.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="stored">The type it has now.</param>
    public static NativeBytes Bnb4(DType type, NativeBytes packed, ReadOnlySpan<float> magnitudes, int block, Shape shape, out DType stored)
    {
        long count = shape.Elements;
        if (packed.Length < (count + 1) / 2 || magnitudes.Length < (count + block - 1) / block)
            throw new ArgumentException($"{shape} does not fit {packed.Length} bytes with {magnitudes.Length} magnitudes");
        stored = Bnb4Fits(shape, block) ? type : DType.F32;
        NativeBuffer buffer = new(stored.Bytes(count), zeroed: false);
        fixed (float* m = magnitudes)
        {
            if (stored == type)
                Kernels.Bnb4.ToBlocks(packed.Pointer, m, block, count, buffer.Pointer);
            else
                Kernels.Bnb4.Dequantize(type, packed.Pointer, m, block, count, (float*)buffer.Pointer);
        }
        GC.KeepAlive(packed.Owner);
        return buffer.Bytes;
    }

    /// <summary>A matrix of double quantisation whose rows are whole blocks (<see cref="Bnb4Fits"/>), its magnitudes as they are in the file.</summary>
    /// <param name="type">NF4DQ or FP4DQ.</param>
    /// <param name="packed">Indices, two to a byte.</param>
    /// <param name="nested">Magnitudes of blocks of the flattened matrix.</param>
    /// <param name="block">Elements of such a block: 64 times some number, for which a code is repeated.</param>
    /// <param name="shape">Sizes.</param>
    public static NativeBytes Bnb4Nested(DType type, NativeBytes packed, NestedMagnitudes nested, int block, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(nested);
        int repeat = block / 64;
        NestedMagnitudes each = repeat == 1 ? nested : new NestedMagnitudes
        {
            Codes = [.. nested.Codes.SelectMany(code => Enumerable.Repeat(code, repeat)).Take((int)(shape.Elements / 64))],
            Magnitudes = [.. nested.Magnitudes.SelectMany(magnitude => Enumerable.Repeat(magnitude, repeat)).Take((int)((shape.Elements / 64 + NestedMagnitudes.Block - 1) / NestedMagnitudes.Block))],
            Offset = nested.Offset,
        };
        NativeBytes plain = Bnb4(type.WithoutNesting(), packed, new float[each.Codes.Length], 64, shape, out _);
        NativeBuffer buffer = new(type.Bytes(shape.Elements), zeroed: false);
        Kernels.Bnb4.Nest(plain.Pointer, shape.Elements, each, buffer.Pointer);
        ((NativeBuffer)plain.Owner!).Dispose();
        return buffer.Bytes;
    }

    /// <summary>Quantises f32 rows whose first element begins a block.</summary>
    /// <param name="type">One of the four.</param>
    /// <param name="rows">F32, without gaps.</param>
    /// <param name="block">Elements of a block.</param>
    /// <param name="packed">Receives two indices to a byte.</param>
    /// <param name="magnitudes">Receives one for each block begun.</param>
    public static void QuantizeBnb4(DType type, Tensor rows, int block, Span<byte> packed, Span<float> magnitudes)
    {
        long count = Values(rows);
        if (packed.Length < (count + 1) / 2 || magnitudes.Length < (count + block - 1) / block)
            throw new ArgumentException($"{rows} does not fit {packed.Length} bytes with {magnitudes.Length} magnitudes");
        fixed (byte* p = packed)
        fixed (float* m = magnitudes)
            Kernels.Bnb4.Quantize(type, rows.F, count, block, p, m);
        GC.KeepAlive(rows);
    }

    /// <summary>Quantises f32 rows to signed bytes with a magnitude for each, after rounding them to f16, as LLM.int8 does.</summary>
    /// <param name="rows">F32, without gaps; they are rounded in place.</param>
    /// <param name="codes">Receives a byte for each element.</param>
    /// <param name="magnitudes">Receives one for each row.</param>
    public static void QuantizeInt8(Tensor rows, Span<byte> codes, Span<float> magnitudes)
    {
        long count = Values(rows);
        if (codes.Length < count || magnitudes.Length < rows.Rows)
            throw new ArgumentException($"{rows} does not fit {codes.Length} bytes with {magnitudes.Length} magnitudes");
        fixed (byte* c = codes)
        fixed (float* m = magnitudes)
            Bnb8.Quantize(rows.F, rows.Rows, rows.Columns, (sbyte*)c, m);
        GC.KeepAlive(rows);
    }

    /// <summary>Takes blocks of one of bitsandbytes' types apart into what its files hold.</summary>
    /// <param name="blocks">A tensor of such a type.</param>
    /// <param name="codes">Receives indices, two to a byte, or signed bytes.</param>
    /// <param name="magnitudes">Receives one for each 64 elements, or one for each row; of double quantisation as they are restored.</param>
    /// <returns>What those of double quantisation are restored from, null of others.</returns>
    public static NestedMagnitudes? TakeApart(Tensor blocks, Span<byte> codes, Span<float> magnitudes)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        blocks.CheckAlive();
        if (blocks.Type.IsNested())
        {
            Tensor plain = Tensor.Create(blocks.Shape, blocks.Type.WithoutNesting());
            NestedMagnitudes nested = Kernels.Bnb4.Unnest(blocks.Pointer, blocks.Shape.Elements, plain.Pointer);
            TakeApart(plain, codes, magnitudes);
            GC.KeepAlive(blocks);
            return nested;
        }
        long count = blocks.Shape.Elements;
        bool rows = blocks.Type == DType.Int8Row;
        if (!(rows || Kernels.Bnb4.Holds(blocks.Type)) || codes.Length < (rows ? count : count / 2) || magnitudes.Length < (rows ? blocks.Rows : count / 64))
            throw new ArgumentException($"{blocks} cannot be taken apart into {codes.Length} bytes and {magnitudes.Length} magnitudes");
        fixed (byte* c = codes)
        fixed (float* m = magnitudes)
        {
            if (!rows)
                Kernels.Bnb4.FromBlocks(blocks.Pointer, count, c, m);
            for (long b = 0; rows && b < count / 64; b++)
            {
                byte* block = blocks.Pointer + 68 * b;
                m[b * 64 / blocks.Columns] = *(float*)block;
                Buffer.MemoryCopy(block + 4, c + 64 * b, 64, 64);
            }
        }
        GC.KeepAlive(blocks);
        return null;
    }

    private static long Values(Tensor rows)
    {
        if (rows.Type != DType.F32 || !rows.IsContiguous)
            throw new ArgumentException($"{rows} cannot be quantised: f32 rows without gaps were expected");
        return rows.Shape.Elements;
    }

    /// <summary>True where rows are whole blocks of 64, each of one magnitude.</summary>
    public static bool Bnb4Fits(Shape shape, int block) => shape.Columns % 64 == 0 && block % 64 == 0;

    /// <summary>A matrix of signed bytes with a magnitude for each row: blocks where a row is whole blocks of 64, else f32.</summary>
    /// <param name="codes"><c>[rows, columns]</c>.</param>
    /// <param name="magnitudes"><c>[rows]</c>.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="stored">The type it has now.</param>
    public static NativeBytes Int8Rows(NativeBytes codes, ReadOnlySpan<float> magnitudes, Shape shape, out DType stored)
    {
        if (codes.Length != shape.Elements || magnitudes.Length != shape.Rows)
            throw new ArgumentException($"{shape} does not fit {codes.Length} bytes with {magnitudes.Length} magnitudes");
        int columns = shape.Columns;
        stored = columns % 64 == 0 ? DType.Int8Row : DType.F32;
        NativeBuffer buffer = new(stored.Bytes(shape.Elements), zeroed: false);
        byte* to = buffer.Pointer;
        sbyte* from = (sbyte*)codes.Pointer;
        for (int row = 0; row < shape.Rows; row++, from += columns)
        {
            for (int i = 0; i < columns && stored == DType.F32; i++, to += sizeof(float))
                *(float*)to = from[i] * magnitudes[row] / 127;
            for (int i = 0; i < columns && stored != DType.F32; i += 64, to += 68)
            {
                *(float*)to = magnitudes[row];
                Buffer.MemoryCopy(from + i, to + 4, 64, 64);
            }
        }
        GC.KeepAlive(codes.Owner);
        return buffer.Bytes;
    }

    /// <summary>
    /// A matrix of GPTQ or AWQ: blocks where its groups are whole blocks of 32, else f32. Where a group's columns are no neighbours, they are put side by side.
    /// </summary>
    /// <param name="layout">Sizes and order; its pointers are set here.</param>
    /// <param name="weights">Codes.</param>
    /// <param name="zeros">Zero points.</param>
    /// <param name="scales">f16.</param>
    /// <param name="groupOf">The group of each column (i32), or null where they are contiguous.</param>
    /// <param name="stored">The type it has now.</param>
    /// <param name="order">The column at each place of a row (i32), or null where they keep their places.</param>
    public static NativeBytes Integers(PackedIntegers layout, NativeBytes weights, NativeBytes zeros, NativeBytes scales, NativeBytes? groupOf, out DType stored, out NativeBytes? order)
    {
        layout.Weights = (uint*)weights.Pointer;
        layout.Zeros = (uint*)zeros.Pointer;
        layout.Scales = (ushort*)scales.Pointer;
        order = null;
        if (groupOf is { } groups)
        {
            NativeBuffer places = new((long)layout.In * sizeof(int), zeroed: false);
            layout.GroupOf = (int*)groups.Pointer;
            layout.Order = (int*)places.Pointer;
            layout.Group = PackedIntegers.OrderByGroup(new ReadOnlySpan<int>(layout.GroupOf, layout.In), new Span<int>(layout.Order, layout.In));
            order = layout.Storage is null ? null : places.Bytes;
        }
        stored = layout.Storage ?? DType.F32;
        NativeBuffer buffer = new(stored.Bytes((long)layout.Out * layout.In), zeroed: false);
        if (stored == DType.F32)
            layout.ToSingles((float*)buffer.Pointer);
        else
            layout.ToBlocks(buffer.Pointer);
        GC.KeepAlive(weights.Owner);
        GC.KeepAlive(zeros.Owner);
        GC.KeepAlive(scales.Owner);
        GC.KeepAlive(groupOf?.Owner);
        GC.KeepAlive(order?.Owner);
        return buffer.Bytes;
    }
}
