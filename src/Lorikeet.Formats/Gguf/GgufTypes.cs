using Lorikeet.Kernels;

namespace Lorikeet.Formats;

/// <summary>The storage types of ggml by number.</summary>
internal static class GgufTypes
{
    private static readonly (uint Number, DType Type)[] Known =
    [
        (0, DType.F32), (1, DType.F16), (2, DType.Q4_0), (3, DType.Q4_1), (6, DType.Q5_0), (7, DType.Q5_1), (8, DType.Q8_0), (10, DType.Q2_K),
        (11, DType.Q3_K), (12, DType.Q4_K), (13, DType.Q5_K), (14, DType.Q6_K), (20, DType.IQ4_NL), (23, DType.IQ4_XS), (24, DType.I8), (25, DType.I16),
        (26, DType.I32), (27, DType.I64), (28, DType.F64), (30, DType.BF16), (34, DType.TQ1_0), (35, DType.TQ2_0),
    ];

    /// <summary>Finds a type; null where it is not read.</summary>
    public static DType? Parse(uint number)
    {
        int at = Array.FindIndex(Known, pair => pair.Number == number);
        return at < 0 ? null : Known[at].Type;
    }

    /// <summary>The number of a type; null where ggml has none.</summary>
    public static uint? NumberOf(DType type)
    {
        int at = Array.FindIndex(Known, pair => pair.Type == type);
        return at < 0 ? null : Known[at].Number;
    }

    /// <summary>What ggml calls a type that is not read, for messages.</summary>
    public static string NameOf(uint number) => number switch
    {
        4 => "Q4_2 (removed from ggml)",
        5 => "Q4_3 (removed from ggml)",
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        21 => "IQ3_S",
        22 => "IQ2_S",
        29 => "IQ1_M",
        31 or 32 or 33 => "Q4_0 in a layout for one processor (removed from ggml)",
        39 => "MXFP4",
        _ => $"type {number}, which ggml did not know when this was written",
    };
}
