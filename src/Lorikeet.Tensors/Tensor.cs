using Lorikeet.Kernels;

namespace Lorikeet.Tensors;

/// <summary>
/// An array of numbers in native memory: a type, up to four sizes, and a distance between rows (the innermost size is contiguous).
/// Tensors made by a <see cref="Tape"/> live until its step ends; those made here live as long as somebody holds them.
/// </summary>
public sealed unsafe class Tensor
{
    private byte* _pointer;

    internal Block? Storage;
    internal object? Owner;
    internal Tensor? ViewOf;
    internal long ViewOffset;
    internal bool Kept;
    internal bool OnTape;
    private NativeBuffer? _panels;
    // rows of double quantisation until all are there
    private Tensor? _unnested;

    /// <summary>A derivative will read the contents; where <see cref="Exact"/>, not even rounded.</summary>
    internal bool Saved, Exact;

    /// <summary>The op's note that can make the contents again.</summary>
    internal Node? Maker;

    /// <summary>The tape that has put the contents away (<see cref="Tape.PutAway"/>) and brings them back as soon as somebody looks.</summary>
    internal Tape? Away;

    internal Tensor() { }

    /// <summary>The column (i32) at each place of a row in memory, where they do not lie one after another.</summary>
    internal NativeBytes? Order { get; private init; }

    /// <summary>Storage type.</summary>
    public DType Type { get; internal set; }

    /// <summary>Sizes, outermost first.</summary>
    public Shape Shape { get; internal set; }

    /// <summary>Elements from one row (innermost vector) to the next.</summary>
    public long RowStride { get; internal set; }

    /// <summary>The product of all sizes but the innermost.</summary>
    public int Rows => Shape.Rows;

    /// <summary>The innermost size.</summary>
    public int Columns => Shape.Columns;

    /// <summary>True where a derivative with respect to this tensor is wanted.</summary>
    public bool RequiresGrad { get; set; }

    /// <summary>
    /// The derivative, once <see cref="Tape.Backward(Tensor)"/> has reached this tensor. That of a tensor outside the tape (a parameter) stays and is
    /// added to; that of a tensor of the tape is gone as soon as it has been passed on.
    /// </summary>
    public Tensor? Grad { get; set; }

    /// <summary>True where rows follow each other without gaps.</summary>
    public bool IsContiguous => RowStride == Columns || Rows <= 1;

    /// <summary>Bytes of a contiguous tensor of this type and shape.</summary>
    public long Bytes => Type.Bytes(Shape.Elements);

    /// <summary>The elements of a contiguous f32 tensor, there as long as somebody holds the tensor: a span alone does not keep its memory.</summary>
    /// <exception cref="InvalidOperationException">It has another type, or gaps between rows.</exception>
    public Span<float> Values => new(Contiguous(DType.F32), checked((int)Shape.Elements));

    /// <summary>The elements of a contiguous i32 tensor.</summary>
    /// <exception cref="InvalidOperationException">It has another type, or gaps between rows.</exception>
    public Span<int> Integers => new(Contiguous(DType.I32), checked((int)Shape.Elements));

    /// <summary>The contents of a contiguous tensor.</summary>
    public NativeBytes Contents => new(Owner ?? this, (byte*)Contiguous(Type), Bytes);

    internal byte* Pointer
    {
        get
        {
            if (ViewOf is { } whole)
                return whole.Pointer + ViewOffset * Type.BlockBytes();
            Away?.BringBack(this);
            return _pointer;
        }
    }

    internal float* F => (float*)Pointer;

    internal int* I => (int*)Pointer;

    internal long Ld => RowStride;

    /// <summary>
    /// The same weights interleaved for <see cref="GemmPrecision.Int8"/>, or null where that does not apply. Made when first asked for, kept as long as
    /// the tensor; products then leave the stored ones alone, and a mapped file's pages are the system's again.
    /// </summary>
    internal byte* Panels()
    {
        if (Volatile.Read(ref _panels) is { } there)
            return there.Pointer;
        if (OnTape || !IsContiguous || Order is not null || KernelChoice.IsReference || !QuantizedPanels.Fits(Type, Columns))
            return null;
        lock (Interleaving)
        {
            if (_panels is null)
            {
                NativeBuffer panels = new(QuantizedPanels.Bytes(Type, Rows, Columns), zeroed: false);
                QuantizedPanels.Interleave(new GemmOperand(Pointer, Type, RowStride), Rows, Columns, panels.Pointer);
                Contents.Release();
                Volatile.Write(ref _panels, panels);
            }
            return _panels.Pointer;
        }
    }

    private static readonly Lock Interleaving = new();

    /// <summary>One row of an f32 tensor.</summary>
    public Span<float> Row(int row)
    {
        CheckAlive();
        if (Type != DType.F32 || (uint)row >= (uint)Rows)
            throw new InvalidOperationException($"row {row} of {this}");
        return new Span<float>(F + row * RowStride, Columns);
    }

    /// <summary>A tensor of its own memory, zero.</summary>
    public static Tensor Create(Shape shape, DType type = DType.F32)
    {
        NativeBuffer buffer = new(type.Bytes(shape.Elements));
        return FromBytes(buffer.Bytes, type, shape);
    }

    /// <summary>A copy of numbers.</summary>
    /// <exception cref="ArgumentException">The shape has more or fewer elements.</exception>
    public static Tensor FromValues(ReadOnlySpan<float> values, Shape shape)
    {
        if (values.Length != shape.Elements)
            throw new ArgumentException($"{shape} takes {shape.Elements} numbers, not {values.Length}");
        Tensor tensor = Create(shape);
        values.CopyTo(tensor.Values);
        return tensor;
    }

    /// <summary>A tensor over memory that is already there (a mapped file, a buffer), which it keeps alive.</summary>
    /// <exception cref="ArgumentException">The memory has another size than type and shape say.</exception>
    public static Tensor FromBytes(NativeBytes bytes, DType type, Shape shape)
    {
        if (bytes.Length != type.Bytes(shape.Elements))
            throw new ArgumentException($"{shape} of {type} takes {type.Bytes(shape.Elements)} bytes, not {bytes.Length}");
        return new Tensor { _pointer = bytes.Pointer, Owner = bytes.Owner, Type = type, Shape = shape, RowStride = shape.Columns };
    }

    /// <summary>A tensor over what a file stores, in place.</summary>
    /// <param name="stored">Its contents.</param>
    /// <param name="shape">Its sizes.</param>
    public static Tensor FromStored(StoredTensor stored, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(stored);
        Tensor plain = FromBytes(stored.Bytes, stored.Type, shape);
        return stored.Order is not { } order ? plain
            : order.Length != (long)shape.Columns * sizeof(int) ? throw new ArgumentException($"{plain} has {shape.Columns} columns, not an order of {order.Length / sizeof(int)}")
            : new Tensor { _pointer = plain._pointer, Owner = plain.Owner, Type = plain.Type, Shape = shape, RowStride = plain.RowStride, Order = order };
    }

    /// <summary>Elements from <paramref name="first"/> on, in place, under a shape of their own.</summary>
    /// <exception cref="ArgumentException">They do not lie inside, or the storage is not plain and contiguous.</exception>
    public Tensor Part(long first, Shape shape)
    {
        if (OnTape)
            throw new InvalidOperationException($"{this} lasts no longer than its step: Tape.View shows parts of it");
        if (!IsContiguous || Type.BlockSize() != 1 || first < 0 || first > Shape.Elements - shape.Elements)
            throw new ArgumentException($"{shape} from element {first} of {this}");
        return new Tensor { _pointer = Pointer + first * Type.BlockBytes(), Owner = Owner ?? this, Type = Type, Shape = shape, RowStride = shape.Columns };
    }

    /// <summary>Sets every element of a contiguous f32 tensor.</summary>
    public void Fill(float value)
    {
        VectorKernel.Fill(value, Contiguous(DType.F32), Shape.Elements);
        // here and below: a kernel has nothing but a pointer, and the collector may take a tensor that nobody will look at again
        GC.KeepAlive(this);
    }

    /// <summary>Where the first NaN or infinity of a contiguous f32 tensor is, or -1.</summary>
    public long FirstNonFinite()
    {
        long first = VectorKernel.FirstNonFinite(Contiguous(DType.F32), Shape.Elements);
        GC.KeepAlive(this);
        return first;
    }

    /// <summary>The sum of the squares of a contiguous f32 tensor, in double precision.</summary>
    public double SumOfSquares()
    {
        double sum = VectorKernel.SumSquares(Contiguous(DType.F32), Shape.Elements);
        GC.KeepAlive(this);
        return sum;
    }

    /// <summary>Copies contents of the same type and number of elements.</summary>
    public void CopyFrom(Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        CheckAlive();
        source.CheckAlive();
        if (source.Type != Type || source.Shape.Elements != Shape.Elements || !IsContiguous || !source.IsContiguous || Order is not null || source.Order is not null)
            throw new ArgumentException($"{source} cannot be copied into {this}");
        Buffer.MemoryCopy(source.Pointer, Pointer, Bytes, Bytes);
        _panels = null;
        GC.KeepAlive(source);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// The values of any storage as singles, in managed memory: the span of a copy that nobody holds would outlive its memory.
    /// </summary>
    public float[] ToSingles()
    {
        Tensor wide = ToF32();
        float[] values = wide.Values.ToArray();
        GC.KeepAlive(wide);
        return values;
    }

    /// <summary>An f32 copy with its own memory; block formats are dequantised.</summary>
    public Tensor ToF32()
    {
        CheckAlive();
        Tensor copy = Create(Shape);
        if (IsContiguous)
        {
            RowReader.ReadAll(this, copy.F);
            GC.KeepAlive(this);
            return copy;
        }
        for (int row = 0; row < Rows; row++)
            ReadRow(row, copy.Row(row));
        return copy;
    }

    /// <summary>Reads one row as f32, whatever its storage.</summary>
    public void ReadRow(int row, Span<float> values)
    {
        CheckAlive();
        if ((uint)row >= (uint)Rows || values.Length < Columns)
            throw new ArgumentException($"row {row} of {this} into {values.Length} numbers");
        fixed (float* to = values)
            RowReader.Read(this, row, to);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// Writes f32 rows in this tensor's storage: any that <see cref="BlockFormats.CanQuantize"/> accepts. When all are there, <see cref="CompleteRows"/>
    /// does what needs them together.
    /// </summary>
    /// <param name="first">The first row to write.</param>
    /// <param name="source">F32, contiguous, as many columns.</param>
    public void WriteRows(int first, Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Columns != Columns || first < 0 || first > Rows - source.Rows || !IsContiguous || !source.IsContiguous || source.Type != DType.F32 || Order is not null)
            throw new ArgumentException($"{source} cannot be written into {this} from row {first}");
        if (Type.IsNested())
        {
            (_unnested ??= Create(Shape, Type.WithoutNesting())).WriteRows(first, source);
            return;
        }
        BlockFormats.QuantizeRows(Type, source.F, source.Rows, Columns, Pointer + Type.Bytes((long)first * Columns));
        _panels = null;
        GC.KeepAlive(source);
        GC.KeepAlive(this);
    }

    /// <summary>Rounds the magnitudes of double quantisation, which depend on all rows; of other storage there is nothing left to do.</summary>
    public void CompleteRows()
    {
        CheckAlive();
        if (_unnested is not { } rows)
            return;
        Bnb4.Nest(rows.Pointer, Shape.Elements, NestedMagnitudes.Quantize(Bnb4.MagnitudesOf(rows.Pointer, Shape.Elements)), Pointer);
        _unnested = null;
        ((NativeBuffer)rows.Owner!).Dispose();
        GC.KeepAlive(this);
    }

    /// <summary>A copy in another storage, quantised or widened.</summary>
    /// <param name="type">The storage.</param>
    /// <param name="name">What a message calls this tensor.</param>
    /// <exception cref="ArgumentException">It cannot be written, or rows are not whole blocks of it.</exception>
    /// <exception cref="InputException">It holds what is no number, and blocks share a scale.</exception>
    public Tensor To(DType type, string? name = null)
    {
        Tensor copy = Create(Shape, type);
        int most = Math.Clamp((1 << 20) / Math.Max(1, Columns), 1, Math.Max(1, Rows));
        Tensor parts = Create(new Shape(most, Columns));
        for (int first = 0; first < Rows; first += most)
        {
            Tensor part = parts.Part(0, new Shape(Math.Min(most, Rows - first), Columns));
            for (int row = 0; row < part.Rows; row++)
                ReadRow(first + row, part.Row(row));
            if (type.IsBlocked() && part.FirstNonFinite() is >= 0 and long at)
                throw new InputException($"tensor {name ?? ToString()} holds {part.Values[(int)at]} in row {first + at / Columns}: a model with such a weight computes nothing, and cannot be quantised");
            copy.WriteRows(first, part);
        }
        copy.CompleteRows();
        return copy;
    }

    /// <summary>Type and sizes: <c>f32 [4, 576]</c>.</summary>
    public override string ToString() => $"{Type} {Shape}";

    private float* Contiguous(DType type)
    {
        CheckAlive();
        if (Type != type || !IsContiguous)
            throw new InvalidOperationException(Type != type ? $"{this} is not {type}" : $"{this} has gaps between its rows");
        return F;
    }

    // a tape takes memory back: better an exception than the numbers of whatever came after
    internal void CheckAlive()
    {
        Tensor root = Tape.Root(this);
        if (root is { OnTape: true, Storage: null, Owner: null, Away: null })
            throw new InvalidOperationException($"{this} is gone: its step has ended, or the derivative has passed it and Tape.Keep was not asked for it");
    }

    /// <summary>A product's factor in the storage that the contents have now: products read narrow numbers as they are.</summary>
    internal GemmOperand Factor(bool transposed)
    {
        Tensor root = Tape.Root(this);
        return root is { Away: not null, Storage: { } narrow }
            ? new GemmOperand(narrow.Pointer + Tape.OffsetInRoot(this) * DType.BF16.BlockBytes(), DType.BF16, RowStride, transposed)
            : new GemmOperand(Pointer, Type, RowStride, transposed) { Order = Order is { } order ? (int*)order.Pointer : null };
    }

    internal void MoveTo(Block storage, byte* pointer)
    {
        Storage = storage;
        _pointer = pointer;
    }

    internal Tensor Reuse(Block? storage, byte* pointer, DType type, Shape shape, long rowStride)
    {
        Storage = storage;
        _pointer = pointer;
        Type = type;
        Shape = shape;
        RowStride = rowStride;
        RequiresGrad = false;
        Grad = null;
        ViewOf = null;
        ViewOffset = 0;
        Kept = Saved = Exact = false;
        Maker = null;
        Away = null;
        OnTape = true;
        Owner = null;
        return this;
    }
}
