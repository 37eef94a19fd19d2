using System.Runtime.Intrinsics;

namespace Lorikeet.Kernels;

/// <summary>Runs jobs in the vectors of the tier chosen at start-up (the reference tier runs the same code on single floats).</summary>
internal static unsafe class VectorJob
{
    /// <summary>Elements of light work below which a second thread costs more than it brings.</summary>
    public const int Grain = 16384;

    private const int MostParts = 512;

    [ThreadStatic]
    private static int _override;

    /// <summary>The tier for jobs started by this thread: the process-wide one, unless a test sets another to compare them all.</summary>
    public static KernelTier Tier
    {
        get => _override == 0 ? Isa.Tier.Compiled() : (KernelTier)(_override - 1);
        set => _override = (int)value + 1;
    }

    /// <summary>The tier of products inside of jobs that this thread starts: assembled where products in single precision are.</summary>
    public static KernelTier ProductTier => _override == 0 ? KernelChoice.Single : Tier;

    /// <summary>Elements of a part: at least <paramref name="least"/>, more where that would make very many parts. Depends on sizes alone.</summary>
    public static long PartSize(long elements, long least) => Math.Max(least, elements / MostParts);

    /// <summary>Rows of a part of <c>[rows, dim]</c>, at least one.</summary>
    public static int PartRows(int rows, long dim, long least)
        => (int)Math.Clamp(PartSize(rows * dim, least) / Math.Max(dim, 1), 1, Math.Max(rows, 1));

    /// <summary>Runs parts <c>0 .. parts-1</c> of a job; one part runs on the calling thread.</summary>
    public static void Run<TJob>(TJob* job, int parts)
        where TJob : unmanaged, IVectorJob<TJob>
    {
        delegate*<void*, int, void> body = Tier.Compiled() switch
        {
            KernelTier.Vector512 => &Invoke<TJob, Simd512, Vector512<float>, Vector512<double>>,
            KernelTier.Vector256 => &Invoke<TJob, Simd256, Vector256<float>, Vector256<double>>,
            KernelTier.Vector128 => &Invoke<TJob, Simd128, Vector128<float>, Vector128<double>>,
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
