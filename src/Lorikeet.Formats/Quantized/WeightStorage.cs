using System.Globalization;
using Lorikeet.Kernels;

namespace Lorikeet.Formats;

/// <summary>What people call the ways to store weights: <c>bf16</c>, <c>nf4-dq</c>, <c>q4_0</c>.</summary>
public static class WeightStorage
{
    private static readonly (string Name, DType Type)[] Known =
    [
        ("f32", DType.F32), ("bf16", DType.BF16), ("f16", DType.F16),
        ("nf4", DType.NF4), ("nf4-dq", DType.NF4DQ), ("fp4", DType.FP4), ("fp4-dq", DType.FP4DQ), ("int8", DType.Int8Row),
        ("q4_0", DType.Q4_0), ("q4_1", DType.Q4_1), ("q5_0", DType.Q5_0), ("q5_1", DType.Q5_1), ("q8_0", DType.Q8_0),
        ("q2_k", DType.Q2_K), ("q3_k", DType.Q3_K), ("q4_k", DType.Q4_K), ("q5_k", DType.Q5_K), ("q6_k", DType.Q6_K),
        ("iq4_nl", DType.IQ4_NL), ("iq4_xs", DType.IQ4_XS), ("tq1_0", DType.TQ1_0), ("tq2_0", DType.TQ2_0),
    ];

    // tables that are looked up, and heads: bitsandbytes leaves them alone, and so does everything that reads its files
    private static readonly string[] Kept = ["lm_head", "score", "classifier", "qa_outputs", "wte", "wpe", "shared", "relative_attention_bias"];

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The type of a name, whatever its case; null where none has it.</summary>
    public static DType? Parse(string name) =>
        Known.Where(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(known => (DType?)known.Type).FirstOrDefault();

    /// <summary>The name of a type.</summary>
    public static string NameOf(DType type)
    {
        string? name = Known.Where(known => known.Type == type).Select(known => known.Name).FirstOrDefault();
        return name ?? type.ToString().ToLowerInvariant();
    }

    /// <summary>True for the storages of bitsandbytes, which are for linear layers alone.</summary>
    public static bool IsBitsandbytes(DType type) => Bnb4.Holds(type) || type == DType.Int8Row;

    /// <summary>True where a storage suits a tensor: matrices alone, and for those of bitsandbytes neither embeddings nor heads.</summary>
    /// <param name="type">The storage.</param>
    /// <param name="name">As the checkpoint has it.</param>
    /// <param name="rank">Number of its sizes.</param>
    public static bool Suits(DType type, string name, int rank)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (rank != 2 || !name.EndsWith(".weight", StringComparison.Ordinal))
            return false;
        return !IsBitsandbytes(type) || !IsTable(name);
    }

    /// <summary>The storage of a matrix whose rows are no whole blocks of the one that was asked for, as llama.cpp chooses it; F16 where none fits.</summary>
    /// <param name="type">What was asked for.</param>
    /// <param name="columns">Length of a row.</param>
    public static DType Fitting(DType type, int columns)
    {
        if (columns % type.BlockSize() == 0)
            return type;
        DType next = type switch
        {
            DType.TQ1_0 or DType.TQ2_0 => DType.Q4_0,
            DType.Q2_K or DType.Q3_K or DType.IQ4_XS => DType.IQ4_NL,
            DType.Q4_K => DType.Q5_0,
            DType.Q5_K => DType.Q5_1,
            DType.Q6_K => DType.Q8_0,
            _ => DType.F16,
        };
        return columns % next.BlockSize() == 0 ? next : DType.F16;
    }

    /// <summary>Tells of matrices that have another storage than was asked for.</summary>
    public static string Remark(DType asked, DType taken, IReadOnlyList<string> names) => string.Create(CultureInfo.InvariantCulture,
        $"{names.Count} {(names.Count == 1 ? "matrix is" : "matrices are")} not kept as {NameOf(asked)} but as {NameOf(taken)}, for rows are not whole blocks of {asked.BlockSize()}: {string.Join(", ", names.Take(3))}{(names.Count > 3 ? ", …" : "")}");

    /// <summary>True for tables that are looked up, and heads.</summary>
    public static bool IsTable(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Split('.').Any(part => part.Contains("embed", StringComparison.Ordinal) || Kept.Contains(part));
    }

    /// <summary>True for what weights are stored as, and not counts or flags.</summary>
    public static bool HoldsNumbers(DType type) => BlockFormats.CanDequantize(type)
        && type is not (DType.Bool or DType.I8 or DType.U8 or DType.I16 or DType.U16 or DType.I32 or DType.U32 or DType.I64 or DType.U64);
}
