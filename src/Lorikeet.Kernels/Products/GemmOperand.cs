namespace Lorikeet.Kernels;

/// <summary>
/// One factor of a product, seen as <c>[rows, k]</c>. Not transposed, element (i, p) lies at <c>i * Stride + p</c> (k contiguous: activations
/// <c>[tokens, in]</c>, weights <c>[out, in]</c>); transposed, at <c>p * Stride + i</c>.
/// </summary>
public unsafe struct GemmOperand
{
    /// <summary>First element, of double quantisation that of the tensor; no alignment is needed.</summary>
    public void* Data;
    /// <summary>Storage type, any that <see cref="BlockFormats"/> reads; anything but F32 is widened while packing.</summary>
    public DType Type;
    /// <summary>Elements from one row of memory to the next: of a block format, whole blocks.</summary>
    public long Stride;
    /// <summary>True where memory holds <c>[k, rows]</c>.</summary>
    public bool Transposed;

    /// <summary>The same weights as <see cref="QuantizedPanels"/>, or null: where they are there, products of <see cref="GemmPrecision.Int8"/> read them instead.</summary>
    public byte* Panels;

    /// <summary>
    /// The column at each place of a row of memory, or null where they lie one after another (<see cref="ColumnOrder"/>). Only factor B may have one, and of
    /// a row with an order, whole rows alone can be read.
    /// </summary>
    public int* Order;

    /// <summary>Names a matrix in memory.</summary>
    public GemmOperand(void* data, DType type, long stride, bool transposed = false)
    {
        Data = data;
        Type = type;
        Stride = stride;
        Transposed = transposed;
    }

    /// <summary>Where a row of memory begins; of double quantisation nobody can tell, and <see cref="Read"/> reads it.</summary>
    internal readonly byte* Row(long row) => (byte*)Data + row * Stride / Type.BlockSize() * Type.BlockBytes();

    /// <summary>Widens elements <c>first .. first + count - 1</c> of a row of memory.</summary>
    internal readonly void Read(long row, long first, long count, float* y) => BlockFormats.Dequantize(Type, Data, row * Stride + first, count, y);
}
