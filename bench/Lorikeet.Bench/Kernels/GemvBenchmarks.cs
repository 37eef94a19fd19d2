using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Lorikeet.Kernels;

namespace Lorikeet.Bench;

/// <summary>
/// Products with a few rows, as in generating text. Each call takes another copy of the weights, together more than any cache holds, so that they
/// come from memory as they do between two tokens.
/// </summary>
[MemoryDiagnoser]
public unsafe class GemvBenchmarks
{
    private GemmCall _call;
    private byte* _weights;
    private long _bytes;
    private int _copies, _next;

    [Params("1536x576", "576x1536", "5632x2048")]
    public string Weight { get; set; } = "";

    [Params(DType.F32, DType.BF16, DType.F16, DType.Q8_0, DType.Q4_0, DType.Q4_1, DType.Q5_0, DType.NF4DQ, DType.FP4, DType.Int8Row)]
    public DType Type { get; set; }

    [Params(1, 8)]
    public int Rows { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ComputePool.Threads = Threads;
        int[] sizes = [.. Weight.Split('x').Select(int.Parse)];
        (int n, int k) = (sizes[0], sizes[1]);
        _bytes = Type.Bytes((long)n * k);
        _copies = (int)(MachinePeak.BeyondCaches() / _bytes) + 1;
        _weights = (byte*)NativeMemory.AlignedAlloc((nuint)(_bytes * _copies), 64);
        for (int copy = 0; copy < _copies; copy++)
            new Span<byte>(_weights + copy * _bytes, (int)_bytes).Fill(0x3C);
        _call = new GemmCall
        {
            M = Rows,
            N = n,
            K = k,
            A = new GemmOperand(GemmBenchmarks.Random((long)Rows * k), DType.F32, k),
            B = new GemmOperand(_weights, Type, k),
            Alpha = 1,
            C = GemmBenchmarks.Random((long)Rows * n),
            StrideC = n,
        };
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (nint data in new[] { (nint)_call.A.Data, (nint)_weights, (nint)_call.C })
            NativeMemory.AlignedFree((void*)data);
    }

    [Benchmark]
    public void Run()
    {
        _call.B.Data = _weights + _next * _bytes;
        _next = (_next + 1) % _copies;
        Gemm.Run(_call);
    }
}
