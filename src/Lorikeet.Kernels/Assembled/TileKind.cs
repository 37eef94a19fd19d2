namespace Lorikeet.Kernels.Assembled;

/// <summary>What an instruction multiplies.</summary>
internal enum TileKind
{
    /// <summary>Singles.</summary>
    F32,
    /// <summary>Pairs of bfloat16, summed as singles.</summary>
    BF16,
    /// <summary>Fours of bytes, those of B unsigned and those of A signed, summed as 32-bit integers.</summary>
    Bytes,
}
