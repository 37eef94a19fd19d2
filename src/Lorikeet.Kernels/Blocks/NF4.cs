using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// "Normal float" of four bits (QLoRA, Dettmers et al. 2023, arXiv:2305.14314): sixteen levels that split a normal distribution evenly, zero among
/// them. Stored as <see cref="Levels16"/> says.
/// </summary>
internal static unsafe class NF4
{
    /// <summary>By index, ascending.</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    /// <summary>Unpacks whole blocks.</summary>
    public static void Dequantize(byte* block, long blocks, float* y) =>
        Levels16.Dequantize((float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Levels)), block, blocks, y);

    /// <summary>Packs whole blocks.</summary>
    public static void Quantize(float* x, long blocks, byte* block) => Bnb4.QuantizeBlocks(DType.NF4, x, blocks, block);
}
