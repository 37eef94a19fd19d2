using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>Floats of four bits as bitsandbytes has them: a sign, and eight magnitudes up to 1. Stored as <see cref="Levels16"/> says.</summary>
internal static unsafe class FP4
{
    /// <summary>By index; the upper half is the lower one negated.</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        0.0f, 0.005208333333333333f, 0.6666666666666666f, 1.0f, 0.3333333333333333f, 0.5f, 0.16666666666666666f, 0.25f,
        0.0f, -0.005208333333333333f, -0.6666666666666666f, -1.0f, -0.3333333333333333f, -0.5f, -0.16666666666666666f, -0.25f,
    ];

    /// <summary>Unpacks whole blocks.</summary>
    public static void Dequantize(byte* block, long blocks, float* y) =>
        Levels16.Dequantize((float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Levels)), block, blocks, y);

    /// <summary>Packs whole blocks.</summary>
    public static void Quantize(float* x, long blocks, byte* block) => Bnb4.QuantizeBlocks(DType.FP4, x, blocks, block);
}
