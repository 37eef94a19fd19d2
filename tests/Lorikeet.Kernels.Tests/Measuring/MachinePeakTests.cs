using System.Diagnostics;

namespace Lorikeet.Kernels.Tests;

[Collection(nameof(ComputePool))]
public sealed class MachinePeakTests
{
    [Fact]
    public void The_machine_is_measured()
    {
        long start = Stopwatch.GetTimestamp();
        MachineSpeed speed = MachinePeak.Measure();
        speed.Threads.ShouldBe(ComputePool.Threads);
        // any processor of this century, however busy: the figures must make sense, not be fast
        speed.FmaOneCore.ShouldBeInRange(0.5, 2000);
        speed.FmaAllCores.ShouldBeInRange(0.5, 2000.0 * speed.Threads);
        if (ProcessorFeatures.Avx512BF16 && Isa.WhyNotAssembled is null)
            speed.BF16OneCore.ShouldBeInRange(0.5, 8000);
        else
            speed.BF16OneCore.ShouldBe(0);
        if (ProcessorFeatures.Avx512Vnni && Isa.WhyNotAssembled is null)
            speed.Int8OneCore.ShouldBeInRange(0.5, 16000);
        else
            speed.Int8OneCore.ShouldBe(0);
        speed.ReadOneCore.ShouldBeInRange(0.1, 500);
        speed.ReadAllCores.ShouldBeInRange(0.1, 5000);
        Stopwatch.GetElapsedTime(start).TotalSeconds.ShouldBeLessThan(20);
    }

    [Fact]
    public void A_cache_is_measured_by_a_small_footprint() => MachinePeak.ReadBandwidth(64 << 10, 1, 0.01).ShouldBeGreaterThan(0.1);
}
