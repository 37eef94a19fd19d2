using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Lorikeet.Kernels;

namespace Lorikeet.Bench;

/// <summary>The products of a training step of a 135M model with 1024 tokens, and cubes. The peak to hold them against is <see cref="ComputePoolBenchmarks"/>.</summary>
[MemoryDiagnoser]
public unsafe class GemmBenchmarks
{
    private GemmCall _call;

    [Params("forward 576x576", "forward 192x576", "forward 1536x576", "forward 576x1536", "forward 1536x576 + rank 16", "backward 576x1536", "backward 1536x576",
        "gradient 576x1536", "gradient 16x576", "gradient 1536x16", "cube 1024", "cube 2048")]
    public string Product { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    /// <summary>Operations of one call, a multiply-add being two.</summary>
    public double Operations => 2.0 * _call.M * _call.N * (_call.K + _call.K2);

    [GlobalSetup]
    public void Setup()
    {
        ComputePool.Threads = Threads;
        string[] words = Product.Split(' ', 'x');
        int first = int.Parse(words[1]), second = words[0] == "cube" ? first : int.Parse(words[2]);
        (int m, int n, int k, bool turnA, bool turnB) = words[0] switch
        {
            "forward" => (1024, first, second, false, false),
            "backward" => (1024, first, second, false, true),
            "gradient" => (first, second, 1024, true, true),
            _ => (first, first, first, false, false),
        };
        int rank = Product.EndsWith("rank 16", StringComparison.Ordinal) ? 16 : 0;
        _call = new GemmCall
        {
            M = m,
            N = n,
            K = k,
            A = new GemmOperand(Random((long)m * k), DType.F32, turnA ? m : k, turnA),
            B = new GemmOperand(Random((long)n * k), DType.F32, turnB ? n : k, turnB),
            Alpha = 1,
            K2 = rank,
            A2 = new GemmOperand(Random((long)m * rank), DType.F32, rank),
            B2 = new GemmOperand(Random((long)n * rank), DType.F32, rank),
            Alpha2 = 2,
            C = Random((long)m * n),
            StrideC = n,
        };
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (nint data in new[] { (nint)_call.A.Data, (nint)_call.B.Data, (nint)_call.A2.Data, (nint)_call.B2.Data, (nint)_call.C })
            NativeMemory.AlignedFree((void*)data);
    }

    [Benchmark]
    public void Run() => Gemm.Run(_call);

    internal static float* Random(long count)
    {
        var random = new Random(1);
        float* values = (float*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(float)) + 64, 64);
        for (long i = 0; i < count; i++)
            values[i] = (float)(random.NextDouble() * 2 - 1);
        return values;
    }
}
