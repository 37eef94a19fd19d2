using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Lorikeet.Kernels;

namespace Lorikeet.Bench;

/// <summary>Norms over the residual stream of a training step: 1024 tokens.</summary>
[MemoryDiagnoser]
public unsafe class NormBenchmarks
{
    private const int Rows = 1024;

    private float* _x, _y, _dy, _dx, _w, _dw, _b, _db, _mean, _scale;

    [Params(576, 2048)]
    public int Width { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ComputePool.Threads = Threads;
        long size = (long)Rows * Width;
        _x = GemmBenchmarks.Random(size);
        _y = GemmBenchmarks.Random(size);
        _dy = GemmBenchmarks.Random(size);
        _dx = GemmBenchmarks.Random(size);
        _w = GemmBenchmarks.Random(Width);
        _dw = GemmBenchmarks.Random(Width);
        _b = GemmBenchmarks.Random(Width);
        _db = GemmBenchmarks.Random(Width);
        _mean = GemmBenchmarks.Random(Rows);
        _scale = GemmBenchmarks.Random(Rows);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (nint data in new[] { (nint)_x, (nint)_y, (nint)_dy, (nint)_dx, (nint)_w, (nint)_dw, (nint)_b, (nint)_db, (nint)_mean, (nint)_scale })
            NativeMemory.AlignedFree((void*)data);
    }

    [Benchmark]
    public void RmsForward() => RmsNormKernel.Forward(_x, Width, _w, 0, _y, Width, _scale, Rows, Width, 1e-5f);

    [Benchmark]
    public void RmsBackward() => RmsNormKernel.Backward(_dy, Width, _x, Width, _w, 0, _scale, _dx, Width, false, _dw, Rows, Width);

    [Benchmark]
    public void LayerForward() => LayerNormKernel.Forward(_x, Width, _w, 0, _b, _y, Width, _mean, _scale, Rows, Width, 1e-5f);

    [Benchmark]
    public void LayerBackward() => LayerNormKernel.Backward(_dy, Width, _x, Width, _w, 0, _mean, _scale, _dx, Width, false, _dw, _db, Rows, Width);
}
