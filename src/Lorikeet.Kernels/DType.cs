namespace Lorikeet.Kernels;

/// <summary>How the elements of a tensor are stored. The block formats from <c>Q4_0</c> to <c>TQ2_0</c> are ggml's; those behind are
/// made from what bitsandbytes, GPTQ and AWQ keep in separate tensors.</summary>
public enum DType
{
    /// <summary>IEEE single precision: what every computation runs in.</summary>
    F32,
    /// <summary>IEEE half precision.</summary>
    F16,
    /// <summary>The upper half of a single.</summary>
    BF16,
    /// <summary>IEEE double precision.</summary>
    F64,
    /// <summary>8-bit float, 4 exponent bits, no infinities.</summary>
    F8E4M3,
    /// <summary>8-bit float, 5 exponent bits.</summary>
    F8E5M2,
    /// <summary>8-bit power of two (a scale of micro-scaled formats).</summary>
    F8E8M0,
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
    /// <summary>Signed byte.</summary>
    I8,
    /// <summary>Unsigned byte.</summary>
    U8,
    /// <summary>Signed 16-bit integer.</summary>
    I16,
    /// <summary>Unsigned 16-bit integer.</summary>
    U16,
    /// <summary>Signed 32-bit integer.</summary>
    I32,
    /// <summary>Unsigned 32-bit integer.</summary>
    U32,
    /// <summary>Signed 64-bit integer.</summary>
    I64,
    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
    /// <summary>Complex of two singles.</summary>
    C64,
    /// <summary>4-bit float (micro-scaled), two to a byte.</summary>
    F4,
    /// <summary>6-bit float, 2 exponent bits.</summary>
    F6E2M3,
    /// <summary>6-bit float, 3 exponent bits.</summary>
    F6E3M2,
    /// <summary>32 weights: f16 scale, 4-bit codes.</summary>
    Q4_0,
    /// <summary>32 weights: f16 scale and minimum, 4-bit codes.</summary>
    Q4_1,
    /// <summary>32 weights: f16 scale, 5-bit codes.</summary>
    Q5_0,
    /// <summary>32 weights: f16 scale and minimum, 5-bit codes.</summary>
    Q5_1,
    /// <summary>32 weights: f16 scale, 8-bit codes.</summary>
    Q8_0,
    /// <summary>256 weights in 16 groups, 2-bit codes.</summary>
    Q2_K,
    /// <summary>256 weights in 16 groups, 3-bit codes.</summary>
    Q3_K,
    /// <summary>256 weights in 8 groups, 4-bit codes.</summary>
    Q4_K,
    /// <summary>256 weights in 8 groups, 5-bit codes.</summary>
    Q5_K,
    /// <summary>256 weights in 16 groups, 6-bit codes.</summary>
    Q6_K,
    /// <summary>32 weights: f16 scale, 4-bit indices into a fixed table.</summary>
    IQ4_NL,
    /// <summary>256 weights in 8 groups, 4-bit indices into a fixed table.</summary>
    IQ4_XS,
    /// <summary>256 ternary weights, five to a byte.</summary>
    TQ1_0,
    /// <summary>256 ternary weights, four to a byte.</summary>
    TQ2_0,
    /// <summary>64 weights: f32 largest magnitude, 4-bit indices into the levels of a normal distribution (QLoRA). A row is whole blocks.</summary>
    NF4,
    /// <summary>NF4 whose magnitudes are rounded to 8 bits (double quantisation): 256 blocks share an f32 and the tensor a mean, so it is read from its beginning.</summary>
    NF4DQ,
    /// <summary>64 weights: f32 largest magnitude, 4-bit floats (sign, two bits of exponent, one of mantissa).</summary>
    FP4,
    /// <summary>FP4 whose magnitudes are rounded to 8 bits (double quantisation), as NF4DQ's are.</summary>
    FP4DQ,
    /// <summary>64 weights: f32 largest magnitude of their whole row, signed 8-bit codes (LLM.int8).</summary>
    Int8Row,
    /// <summary>32 weights: f16 scale, zero point, unsigned 4-bit codes (GPTQ, AWQ).</summary>
    U4G32,
    /// <summary>128 weights: f16 scale, zero point, unsigned 4-bit codes (GPTQ, AWQ).</summary>
    U4G128,
    /// <summary>32 weights: f16 scale, zero point, unsigned 8-bit codes (GPTQ).</summary>
    U8G32,
}

/// <summary>Sizes and names of storage types.</summary>
public static class DTypes
{
    /// <summary>Elements that are stored together: 1 for plain types, 32 or 256 for block formats, 2 or 4 for types narrower than a byte.</summary>
    public static int BlockSize(this DType type) => type switch
    {
        DType.Q4_0 or DType.Q4_1 or DType.Q5_0 or DType.Q5_1 or DType.Q8_0 or DType.IQ4_NL or DType.U4G32 or DType.U8G32 => 32,
        DType.NF4 or DType.NF4DQ or DType.FP4 or DType.FP4DQ or DType.Int8Row => 64,
        DType.U4G128 => 128,
        DType.Q2_K or DType.Q3_K or DType.Q4_K or DType.Q5_K or DType.Q6_K or DType.IQ4_XS or DType.TQ1_0 or DType.TQ2_0 => 256,
        DType.F4 => 2,
        DType.F6E2M3 or DType.F6E3M2 => 4,
        _ => 1,
    };

    /// <summary>Bytes that one block takes; of double quantisation without what 256 blocks share, which <see cref="Bytes"/> counts.</summary>
    public static int BlockBytes(this DType type) => type switch
    {
        DType.F64 or DType.I64 or DType.U64 or DType.C64 => 8,
        DType.F32 or DType.I32 or DType.U32 => 4,
        DType.F16 or DType.BF16 or DType.I16 or DType.U16 => 2,
        DType.Q4_0 or DType.IQ4_NL => 18,
        DType.Q4_1 => 20,
        DType.Q5_0 => 22,
        DType.Q5_1 => 24,
        DType.Q8_0 => 34,
        DType.Q2_K => 84,
        DType.Q3_K => 110,
        DType.Q4_K => 144,
        DType.Q5_K => 176,
        DType.Q6_K => 210,
        DType.IQ4_XS => 136,
        DType.TQ1_0 => 54,
        DType.TQ2_0 => 66,
        DType.NF4 or DType.FP4 or DType.U8G32 => 36,
        DType.NF4DQ or DType.FP4DQ => 33,
        DType.Int8Row or DType.U4G128 => 68,
        DType.U4G32 => 20,
        DType.F6E2M3 or DType.F6E3M2 => 3,
        _ => 1,
    };

    /// <summary>Bytes of <paramref name="elements"/> consecutive elements.</summary>
    /// <exception cref="ArgumentException">The count is not a whole number of blocks.</exception>
    public static long Bytes(this DType type, long elements)
    {
        int block = type.BlockSize();
        if (elements % block != 0)
            throw new ArgumentException($"{type} stores {block} elements together: {elements} is not a multiple of {block}");
        return type.IsNested() ? NestedLevels16.BytesOf(elements / block) : checked(elements / block * type.BlockBytes());
    }

    /// <summary>True for double quantisation: a block alone says nothing, only the tensor from its beginning.</summary>
    public static bool IsNested(this DType type) => type is DType.NF4DQ or DType.FP4DQ;

    /// <summary>The type whose blocks carry their magnitudes as singles, of double quantisation; else the type itself.</summary>
    public static DType WithoutNesting(this DType type) => type switch
    {
        DType.NF4DQ => DType.NF4,
        DType.FP4DQ => DType.FP4,
        _ => type,
    };

    /// <summary>True for formats that store many weights with shared scales.</summary>
    public static bool IsBlocked(this DType type) => type >= DType.Q4_0;
}
