namespace Lorikeet.Kernels.Tests;

/// <summary>Runs a check in every vector width of this processor, and without vectors.</summary>
internal static class Tiers
{
    /// <summary>Lengths that meet every tail of every width: 0 to four widest vectors and one.</summary>
    public static IEnumerable<int> Lengths => Enumerable.Range(0, 4 * 16 + 2);

    public static void Each(Action<KernelTier> check)
    {
        foreach (KernelTier tier in Enum.GetValues<KernelTier>())
        {
            if (tier > Isa.Widest)
                continue;
            With(tier, () => check(tier));
        }
    }

    /// <summary>The same, and with machine code of our own: for kernels that have some.</summary>
    public static void EachAndAssembled(Action<KernelTier> check)
    {
        Each(check);
        foreach (KernelTier tier in (KernelTier[])[KernelTier.Assembled256, KernelTier.Assembled512])
        {
            if (tier.Compiled() <= Isa.Widest && Isa.WhyNotAssembled is null)
                With(tier, () => check(tier));
        }
    }

    public static void With(KernelTier tier, Action check)
    {
        VectorJob.Tier = tier;
        try
        {
            check();
        }
        finally
        {
            VectorJob.Tier = Isa.Tier;
        }
    }

    /// <summary>Runs the same work with 1, 2, 3 and 5 threads and returns what it produced each time.</summary>
    public static IEnumerable<FloatBlock> WithThreads(Func<FloatBlock> work)
    {
        int before = ComputePool.Threads;
        try
        {
            foreach (int threads in new[] { 1, 2, 3, 5 })
            {
                ComputePool.Threads = threads;
                yield return work();
            }
        }
        finally
        {
            ComputePool.Threads = before;
        }
    }

    /// <summary>Fails unless the work gives the same bits for every number of threads.</summary>
    public static void ShouldNotDependOnThreads(Func<FloatBlock> work, string what)
    {
        FloatBlock? first = null;
        foreach (FloatBlock result in WithThreads(work))
        {
            if (first is null)
            {
                first = result;
                continue;
            }
            result.ShouldEqualBits(first, what + " depends on the number of threads");
            result.Dispose();
        }
        first?.Dispose();
    }

    /// <summary>Fails if the work, once warm, allocates managed memory on the calling thread.</summary>
    public static void ShouldNotAllocate(Action work)
    {
        for (int i = 0; i < 3; i++)
            work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        work();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }
}
