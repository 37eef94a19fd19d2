using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>What measurements compute with: no numbers that a processor is slow with.</summary>
internal static unsafe class MeasuredMatrix
{
    /// <summary>Singles between -0.5 and 0.5, to be freed with <see cref="NativeMemory.AlignedFree"/>.</summary>
    public static float* New(long elements)
    {
        float* matrix = (float*)NativeMemory.AlignedAlloc((nuint)(elements * sizeof(float)), 64);
        for (long i = 0; i < elements; i++)
            matrix[i] = (i * 31 + 7) % 64 / 64f - 0.5f;
        return matrix;
    }

    /// <summary>Fills stored weights of any type: this byte makes ordinary scales in all of them (about one in halves, a hundredth in singles).</summary>
    public static void Fill(byte* memory, long bytes) => NativeMemory.Fill(memory, (nuint)bytes, 0x3C);
}
