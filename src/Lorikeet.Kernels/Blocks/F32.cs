namespace Lorikeet.Kernels;

/// <summary>Plain singles.</summary>
internal static unsafe class F32
{
    /// <summary>Copies.</summary>
    public static void Widen(byte* x, long count, float* y) => Buffer.MemoryCopy(x, y, count * 4, count * 4);
}
