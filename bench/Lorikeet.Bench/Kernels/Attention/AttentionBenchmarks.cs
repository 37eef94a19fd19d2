using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Lorikeet.Kernels;

namespace Lorikeet.Bench;

/// <summary>Causal attention with the heads of a 135M model: four texts of 256 tokens as in training, or one long one.</summary>
[MemoryDiagnoser]
public unsafe class AttentionBenchmarks
{
    private const int Heads = 9, KvHeads = 3, HeadDim = 64;

    private AttentionCall _call;
    private float* _dQ, _dK, _dV;

    [Params("4x256", "1x4096")]
    public string Texts { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ComputePool.Threads = Threads;
        int[] sizes = [.. Texts.Split('x').Select(int.Parse)];
        int length = sizes[1], rows = sizes[0] * length;
        int* first = (int*)GemmBenchmarks.Random(rows), last = (int*)GemmBenchmarks.Random(rows);
        for (int row = 0; row < rows; row++)
            (first[row], last[row]) = (row / length * length, row + 1);
        const int wide = Heads * HeadDim, narrow = KvHeads * HeadDim;
        _call = new AttentionCall
        {
            Q = GemmBenchmarks.Random((long)rows * wide),
            LdQ = wide,
            K = GemmBenchmarks.Random((long)rows * narrow),
            LdK = narrow,
            V = GemmBenchmarks.Random((long)rows * narrow),
            LdV = narrow,
            Out = GemmBenchmarks.Random((long)rows * wide),
            LdOut = wide,
            LogSumExp = GemmBenchmarks.Random((long)rows * Heads),
            Queries = rows,
            Keys = rows,
            Heads = Heads,
            KvHeads = KvHeads,
            HeadDim = HeadDim,
            ValueDim = HeadDim,
            First = first,
            Last = last,
            Scale = 1 / MathF.Sqrt(HeadDim),
        };
        _dQ = GemmBenchmarks.Random((long)rows * wide);
        _dK = GemmBenchmarks.Random((long)rows * narrow);
        _dV = GemmBenchmarks.Random((long)rows * narrow);
        AttentionKernel.Forward(_call);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (nint data in new[] { (nint)_call.Q, (nint)_call.K, (nint)_call.V, (nint)_call.Out, (nint)_call.LogSumExp, (nint)_call.First, (nint)_call.Last, (nint)_dQ, (nint)_dK, (nint)_dV })
            NativeMemory.AlignedFree((void*)data);
    }

    [Benchmark]
    public void Forward() => AttentionKernel.Forward(_call);

    [Benchmark]
    public void Backward() =>
        AttentionKernel.Backward(_call, _call.Q, _call.LdQ, _dQ, _call.LdQ, _dK, _call.LdK, _dV, _call.LdV, accumulateQ: false, accumulateKv: false);
}
