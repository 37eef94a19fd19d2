using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Turns stored weights into singles. Values are bit-equal to ggml's and bitsandbytes' for the block formats, exact for the narrow floats, and rounded to nearest
/// for doubles and wide integers. One file a format, each compiled at full optimisation at once: a loader calls a kernel a few long times, which
/// tiered compilation would run unoptimised, ten times as slow.
/// </summary>
public static unsafe class BlockFormats
{
    /// <summary>Elements that one part of <see cref="DequantizeParallel"/> covers: a multiple of every block size, 256 KiB of output.</summary>
    private const long Part = 1 << 16;

    /// <summary>True for types that <see cref="Dequantize"/> reads: all but complex numbers and floats narrower than a byte.</summary>
    public static bool CanDequantize(DType type) => type.IsNested() || Kernel(type) != null;

    /// <summary>
    /// Writes elements <c>first .. first + count - 1</c> of a stored row of elements to <paramref name="y"/>. The range may begin and end inside a
    /// block; whole blocks are the fast case.
    /// </summary>
    /// <param name="type">How the elements are stored.</param>
    /// <param name="blocks">Where element 0 (its block) begins, of double quantisation the tensor; no alignment is needed.</param>
    /// <param name="first">First element wanted.</param>
    /// <param name="count">Number of elements wanted.</param>
    /// <param name="y">Receives <paramref name="count"/> singles.</param>
    /// <exception cref="ArgumentException">The type has no single-precision reading (<see cref="CanDequantize"/>).</exception>
    public static void Dequantize(DType type, void* blocks, long first, long count, float* y)
    {
        if (type.IsNested())
        {
            NestedLevels16.Dequantize((float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Bnb4.Levels(type))), (byte*)blocks, first, count, y);
            return;
        }
        delegate*<byte*, long, float*, void> kernel = Kernel(type);
        if (kernel == null)
            throw new ArgumentException($"{type} cannot be read as single precision", nameof(type));
        if (count <= 0)
            return;

        int block = type.BlockSize(), bytes = type.BlockBytes();
        byte* at = (byte*)blocks + first / block * bytes;
        int skip = (int)(first % block);
        if (skip != 0)
        {
            long taken = Math.Min(block - skip, count);
            Partial(kernel, at, skip, taken, y);
            at += bytes;
            y += taken;
            count -= taken;
        }
        long whole = count / block;
        kernel(at, whole, y);
        if (whole * block < count)
            Partial(kernel, at + whole * bytes, 0, count - whole * block, y + whole * block);
    }

    /// <summary>Reads elements <c>0 .. count - 1</c> of a whole tensor on all threads of the <see cref="ComputePool"/>.</summary>
    /// <param name="type">How the elements are stored.</param>
    /// <param name="blocks">First block.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="y">Receives <paramref name="count"/> singles.</param>
    /// <exception cref="ArgumentException">The type has no single-precision reading (<see cref="CanDequantize"/>).</exception>
    public static void DequantizeParallel(DType type, void* blocks, long count, float* y)
    {
        if (!CanDequantize(type))
            throw new ArgumentException($"{type} cannot be read as single precision", nameof(type));
        Whole whole = new() { Type = type, Blocks = blocks, Count = count, Y = y };
        ComputePool.Run(&RunPart, &whole, checked((int)((count + Part - 1) / Part)));
    }

    /// <summary>True for types that <see cref="Quantize"/> writes.</summary>
    public static bool CanQuantize(DType type) => Packer(type.WithoutNesting()) != null;

    /// <summary>
    /// Rounds singles to a storage type: F16 and BF16 to nearest, ties to even; Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, TQ1_0 and TQ2_0 to the bytes of ggml's scalar
    /// code; Q2_K to Q6_K, IQ4_NL and IQ4_XS by a search for scales of our own, as close as ggml's; NF4, FP4 to bitsandbytes' bytes. Of Int8Row, all elements are one row; of double quantisation,
    /// they are the whole tensor.
    /// </summary>
    /// <param name="type">What to write.</param>
    /// <param name="x"><paramref name="count"/> finite singles.</param>
    /// <param name="count">Number of elements: whole blocks.</param>
    /// <param name="y">Receives the elements.</param>
    /// <exception cref="ArgumentException">A type that cannot be written (<see cref="CanQuantize"/>), or no whole blocks.</exception>
    public static void Quantize(DType type, float* x, long count, void* y)
    {
        delegate*<float*, long, byte*, void> packer = Packer(type);
        if (!CanQuantize(type))
            throw new ArgumentException($"singles cannot be written as {type}", nameof(type));
        if (count % type.BlockSize() != 0)
            throw new ArgumentException($"{count} elements are no whole blocks of {type}", nameof(count));
        if (type.IsNested())
            QuantizeRows(type, x, checked((int)(count / type.BlockSize())), type.BlockSize(), y);
        else
            packer(x, count / type.BlockSize(), (byte*)y);
    }

    /// <summary>
    /// Writes whole rows on all threads, as <see cref="Quantize"/> does; of <see cref="DType.Int8Row"/>, whose magnitude belongs to a row, this is the
    /// only way. The magnitudes of double quantisation depend on the whole tensor: of it, these are all rows.
    /// </summary>
    /// <param name="type">What to write.</param>
    /// <param name="x"><c>[rows, columns]</c> finite singles, without gaps.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Elements of a row, whole blocks.</param>
    /// <param name="y">Receives the rows.</param>
    /// <exception cref="ArgumentException">A type that cannot be written, or rows that are not whole blocks.</exception>
    public static void QuantizeRows(DType type, float* x, int rows, int columns, void* y)
    {
        if (!CanQuantize(type))
            throw new ArgumentException($"singles cannot be written as {type}", nameof(type));
        if (columns % type.BlockSize() != 0)
            throw new ArgumentException($"rows of {columns} elements are no whole blocks of {type}", nameof(columns));
        if (type.IsNested())
        {
            QuantizeNested(type, x, rows, columns, (byte*)y);
            return;
        }
        WrittenRows work = new() { Type = type, X = x, Rows = rows, Columns = columns, Y = (byte*)y, PartRows = (int)Math.Clamp(Part / Math.Max(1, columns), 1, Math.Max(1, rows)) };
        ComputePool.Run(&WriteRows, &work, (rows + work.PartRows - 1) / work.PartRows);
    }

    private static void QuantizeNested(DType type, float* x, int rows, int columns, byte* y)
    {
        long count = (long)rows * columns;
        byte* blocks = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, type.WithoutNesting().Bytes(count)));
        try
        {
            QuantizeRows(type.WithoutNesting(), x, rows, columns, blocks);
            Bnb4.Nest(blocks, count, NestedMagnitudes.Quantize(Bnb4.MagnitudesOf(blocks, count)), y);
        }
        finally
        {
            NativeMemory.Free(blocks);
        }
    }

    private struct WrittenRows
    {
        public DType Type;
        public float* X;
        public byte* Y;
        public int Rows, Columns, PartRows;
    }

    private static void WriteRows(void* context, int part)
    {
        WrittenRows* work = (WrittenRows*)context;
        int first = part * work->PartRows, count = Math.Min(work->PartRows, work->Rows - first);
        float* x = work->X + (long)first * work->Columns;
        byte* y = work->Y + work->Type.Bytes((long)first * work->Columns);
        if (work->Type == DType.Int8Row)
            Int8Row.Quantize(x, count, work->Columns, y);
        else
            Packer(work->Type)(x, (long)count * work->Columns / work->Type.BlockSize(), y);
    }

    private struct Whole
    {
        public DType Type;
        public void* Blocks;
        public long Count;
        public float* Y;
    }

    private static void RunPart(void* context, int part)
    {
        Whole* whole = (Whole*)context;
        long first = part * Part;
        Dequantize(whole->Type, whole->Blocks, first, Math.Min(Part, whole->Count - first), whole->Y + first);
    }

    private static void Partial(delegate*<byte*, long, float*, void> kernel, byte* block, int skip, long count, float* y)
    {
        float* unpacked = stackalloc float[256];
        kernel(block, 1, unpacked);
        new ReadOnlySpan<float>(unpacked + skip, (int)count).CopyTo(new Span<float>(y, (int)count));
    }

    private static delegate*<byte*, long, float*, void> Kernel(DType type) => type switch
    {
        DType.F32 => &F32.Widen,
        DType.F16 => &F16.Widen,
        DType.BF16 => &BF16.Widen,
        DType.F8E4M3 => &F8.WidenE4M3,
        DType.F8E5M2 => &F8.WidenE5M2,
        DType.F8E8M0 => &F8.WidenE8M0,
        DType.F64 => &Plain.Convert<double>,
        DType.Bool or DType.U8 => &Plain.Convert<byte>,
        DType.I8 => &Plain.Convert<sbyte>,
        DType.I16 => &Plain.Convert<short>,
        DType.U16 => &Plain.Convert<ushort>,
        DType.I32 => &Plain.Convert<int>,
        DType.U32 => &Plain.Convert<uint>,
        DType.I64 => &Plain.Convert<long>,
        DType.U64 => &Plain.Convert<ulong>,
        DType.Q4_0 => &Q4_0.Dequantize,
        DType.Q4_1 => &Q4_1.Dequantize,
        DType.Q5_0 => &Q5_0.Dequantize,
        DType.Q5_1 => &Q5_1.Dequantize,
        DType.Q8_0 => &Q8_0.Dequantize,
        DType.Q2_K => &Q2_K.Dequantize,
        DType.Q3_K => &Q3_K.Dequantize,
        DType.Q4_K => &Q4_K.Dequantize,
        DType.Q5_K => &Q5_K.Dequantize,
        DType.Q6_K => &Q6_K.Dequantize,
        DType.IQ4_NL => &IQ4_NL.Dequantize,
        DType.IQ4_XS => &IQ4_XS.Dequantize,
        DType.TQ1_0 => &TQ1_0.Dequantize,
        DType.TQ2_0 => &TQ2_0.Dequantize,
        DType.NF4 => &NF4.Dequantize,
        DType.FP4 => &FP4.Dequantize,
        DType.Int8Row => &Int8Row.Dequantize,
        DType.U4G32 => &GroupedIntegers.DequantizeU4G32,
        DType.U4G128 => &GroupedIntegers.DequantizeU4G128,
        DType.U8G32 => &GroupedIntegers.DequantizeU8G32,
        _ => null,
    };

    private static delegate*<float*, long, byte*, void> Packer(DType type) => type switch
    {
        DType.F32 => &Copy,
        DType.F16 => &F16.Narrow,
        DType.BF16 => &BF16.Narrow,
        DType.Q4_0 => &Q4_0.Quantize,
        DType.Q4_1 => &Q4_1.Quantize,
        DType.Q5_0 => &Q5_0.Quantize,
        DType.Q5_1 => &Q5_1.Quantize,
        DType.Q8_0 => &Q8_0.Quantize,
        DType.Q2_K => &Q2_K.Quantize,
        DType.Q3_K => &Q3_K.Quantize,
        DType.Q4_K => &Q4_K.Quantize,
        DType.Q5_K => &Q5_K.Quantize,
        DType.Q6_K => &Q6_K.Quantize,
        DType.IQ4_NL => &IQ4_NL.Quantize,
        DType.IQ4_XS => &IQ4_XS.Quantize,
        DType.TQ1_0 => &TQ1_0.Quantize,
        DType.TQ2_0 => &TQ2_0.Quantize,
        DType.NF4 => &NF4.Quantize,
        DType.FP4 => &FP4.Quantize,
        DType.Int8Row => &Int8Row.Quantize,
        _ => null,
    };

    private static void Copy(float* x, long count, byte* y) => F32.Widen((byte*)x, count, (float*)y);
}
