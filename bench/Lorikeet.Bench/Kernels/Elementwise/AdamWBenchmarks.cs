using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Lorikeet.Kernels;

namespace Lorikeet.Bench;

/// <summary>A step of AdamW over more numbers than caches hold, with moments in singles and in eight bits.</summary>
[MemoryDiagnoser]
public unsafe class AdamWBenchmarks
{
    private const long Count = 1 << 24;

    private float* _w, _g, _m, _v;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ComputePool.Threads = Threads;
        _w = GemmBenchmarks.Random(Count);
        _g = GemmBenchmarks.Random(Count);
        _m = GemmBenchmarks.Random(Count);
        _v = GemmBenchmarks.Random(Count);
        new Span<float>(_m, (int)Count).Clear();
        new Span<float>(_v, (int)Count).Clear();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (nint data in new[] { (nint)_w, (nint)_g, (nint)_m, (nint)_v })
            NativeMemory.AlignedFree((void*)data);
    }

    [Benchmark(Baseline = true)]
    public void Singles() => AdamWKernel.Step(_w, _g, _m, _v, Count, 1e-5, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1);

    [Benchmark]
    public void EightBits()
    {
        // the codes lie where the moments in singles do, their magnitudes behind them
        byte* mean = (byte*)_m, square = (byte*)_v;
        AdamW8Kernel.Step(_w, _g, mean, _m + Count / 4, square, _v + Count / 4, Count, 1e-5, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1);
    }
}
