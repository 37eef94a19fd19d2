using BenchmarkDotNet.Attributes;
using Lorikeet.Kernels;

namespace Lorikeet.Bench;

/// <summary>What a job of the pool costs by itself; the set-up prints the machine's peak, to hold the products against.</summary>
public unsafe class ComputePoolBenchmarks
{
    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ComputePool.Threads = Threads;
        Console.WriteLine(MachinePeak.Measure(quick: false));
    }

    [Benchmark]
    public void EmptyJob() => ComputePool.Run(&Nothing, null, Threads);

    private static void Nothing(void* context, int part)
    {
    }
}
