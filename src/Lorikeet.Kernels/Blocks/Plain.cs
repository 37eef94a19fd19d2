using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lorikeet.Kernels;

/// <summary>Doubles and integers as singles, rounded to nearest.</summary>
internal static unsafe class Plain
{
    /// <summary>Converts <paramref name="count"/> numbers of type <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert<T>(byte* x, long count, float* y)
        where T : unmanaged, INumberBase<T>
    {
        T* values = (T*)x;
        for (long i = 0; i < count; i++)
            y[i] = float.CreateTruncating(values[i]);
    }
}
