using Lorikeet.Kernels;

namespace Lorikeet.Formats;

/// <summary>The storage types of the safetensors format and what it calls them.</summary>
internal static class SafetensorsTypes
{
    /// <summary>In the format's own order, by which a writer sorts tensors (last first): that puts the widest elements first and keeps all aligned.</summary>
    private static readonly (DType Type, string Name)[] Ordered =
    [
        (DType.Bool, "BOOL"),
        (DType.F4, "F4"),
        (DType.F6E2M3, "F6_E2M3"),
        (DType.F6E3M2, "F6_E3M2"),
        (DType.U8, "U8"),
        (DType.I8, "I8"),
        (DType.F8E5M2, "F8_E5M2"),
        (DType.F8E4M3, "F8_E4M3"),
        (DType.F8E8M0, "F8_E8M0"),
        (DType.I16, "I16"),
        (DType.U16, "U16"),
        (DType.F16, "F16"),
        (DType.BF16, "BF16"),
        (DType.I32, "I32"),
        (DType.U32, "U32"),
        (DType.F32, "F32"),
        (DType.C64, "C64"),
        (DType.F64, "F64"),
        (DType.I64, "I64"),
        (DType.U64, "U64"),
    ];

    /// <summary>Every name, for messages.</summary>
    public static string AllNames => string.Join(", ", Ordered.Select(entry => entry.Name));

    /// <summary>Finds a type by its name; null where the format has none of that name.</summary>
    public static DType? Parse(string name)
    {
        foreach ((DType type, string known) in Ordered)
            if (known == name)
                return type;
        return null;
    }

    /// <summary>The name of a type; null where the format cannot hold it.</summary>
    public static string? NameOf(DType type)
    {
        int rank = Rank(type);
        return rank < 0 ? null : Ordered[rank].Name;
    }

    /// <summary>The place of a type in the format's order; −1 where the format cannot hold it.</summary>
    public static int Rank(DType type) => Array.FindIndex(Ordered, entry => entry.Type == type);
}
