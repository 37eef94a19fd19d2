namespace Lorikeet.Kernels;

/// <summary>What multiplies codes of weights with activations in 8 bits. All give the same integers.</summary>
internal enum IntegerDots
{
    /// <summary>Compiled code: <see cref="QuantizedTile"/>.</summary>
    Compiled,
    /// <summary>Assembled, 256-bit registers: products of bytes are added in pairs, twice.</summary>
    Avx2,
    /// <summary>Assembled, dot products of bytes in 256-bit registers (AVX-VNNI).</summary>
    AvxVnni,
    /// <summary>Assembled, dot products of bytes in 512-bit registers (AVX512-VNNI).</summary>
    Avx512Vnni,
}
