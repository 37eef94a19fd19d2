using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>Runs jobs in the widest vectors that the processor handles well: the one place that chooses.</summary>
internal static unsafe class VectorJob
{
    /// <summary>Elements of light work below which a second thread costs more than it brings.</summary>
    public const int Grain = 16384;

    [ThreadStatic]
    private static int t_narrowed;

    /// <summary>The widest vectors of this processor.</summary>
    public static VectorWidth Widest
        => Vector512.IsHardwareAccelerated ? VectorWidth.V512
        : Vector256.IsHardwareAccelerated ? VectorWidth.V256
        : Vector128.IsHardwareAccelerated ? VectorWidth.V128
        : VectorWidth.Scalar;

    /// <summary>The width for jobs started by this thread; tests set it to compare all of them.</summary>
    public static VectorWidth Width
    {
        get => t_narrowed == 0 ? Widest : (VectorWidth)(t_narrowed - 1);
        set => t_narrowed = (int)value + 1;
    }

    /// <summary>Runs parts <c>0 .. parts-1</c> of a job; one part runs on the calling thread.</summary>
    public static void Run<TJob>(TJob* job, int parts)
        where TJob : unmanaged, IVectorJob<TJob>
    {
        delegate*<void*, int, void> body = Width switch
        {
            VectorWidth.V512 => &Invoke<TJob, Simd512, Vector512<float>, Vector512<double>>,
            VectorWidth.V256 => &Invoke<TJob, Simd256, Vector256<float>, Vector256<double>>,
            VectorWidth.V128 => &Invoke<TJob, Simd128, Vector128<float>, Vector128<double>>,
            _ => &Invoke<TJob, SimdScalar, float, double>,
        };
        if (parts == 1)
            body(job, 0);
        else if (parts > 1)
            ComputePool.Run(body, job, parts);
    }

    private static void Invoke<TJob, S, V, D>(void* job, int part)
        where TJob : unmanaged, IVectorJob<TJob>
        where S : struct, ISimd<V, D>
        where V : unmanaged
        where D : unmanaged
        => TJob.Part<S, V, D>((TJob*)job, part);
}
