using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>
/// Measures <see cref="Gemm"/> with few rows, as in writing text: each product takes another copy of the weights, together more than any cache holds, so
/// that they come from memory as they do between two tokens.
/// </summary>
public static unsafe class GemvSpeed
{
    /// <summary>The median seconds of one product <c>[m, k] · [n, k]ᵀ</c>.</summary>
    /// <param name="m">Rows.</param>
    /// <param name="n">Columns of the result.</param>
    /// <param name="k">Length of the sums, whole blocks.</param>
    /// <param name="weights">Storage of the second factor.</param>
    /// <param name="threads">Threads of the <see cref="ComputePool"/>.</param>
    /// <param name="seconds">How long to measure; at least five products are timed.</param>
    /// <param name="precision">How far factors may be rounded.</param>
    public static double Median(int m, int n, int k, DType weights, int threads, double seconds, GemmPrecision precision = GemmPrecision.Single)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(m, Math.Min(n, k)), 1);
        long bytes = weights.Bytes((long)n * k);
        if (k % weights.BlockSize() != 0)
            throw new ArgumentException($"a row of {weights} is whole blocks of {weights.BlockSize()}: {k} is not");
        long copies = MachinePeak.BeyondCaches() / bytes + 1;
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes * copies), 64);
        // products of integers read weights interleaved, as writing text does
        bool interleaved = precision == GemmPrecision.Int8 && !KernelChoice.IsReference && QuantizedPanels.Fits(weights, k);
        long panelBytes = interleaved ? QuantizedPanels.Bytes(weights, n, k) : 0;
        byte* panels = interleaved ? (byte*)NativeMemory.AlignedAlloc((nuint)(panelBytes * copies), 64) : null;
        float* a = MeasuredMatrix.New((long)m * k), c = MeasuredMatrix.New((long)m * n);
        int before = ComputePool.Threads;
        try
        {
            MeasuredMatrix.Fill(memory, bytes * copies);
            GemmCall call = new() { M = m, N = n, K = k, A = new GemmOperand(a, DType.F32, k), Alpha = 1, C = c, StrideC = n, Precision = precision };
            for (long copy = 0; interleaved && copy < copies; copy++)
                QuantizedPanels.Interleave(new GemmOperand(memory + copy * bytes, weights, k), n, k, panels + copy * panelBytes);
            ComputePool.Threads = threads;
            List<double> times = [];
            long began = Stopwatch.GetTimestamp();
            // the first two warm the code
            for (int run = 0; run < 7 || Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; run++)
            {
                call.B = new GemmOperand(memory + run % copies * bytes, weights, k);
                if (interleaved)
                    call.B.Panels = panels + run % copies * panelBytes;
                long start = Stopwatch.GetTimestamp();
                Gemm.Run(call);
                if (run >= 2)
                    times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            times.Sort();
            return times[times.Count / 2];
        }
        finally
        {
            ComputePool.Threads = before;
            NativeMemory.AlignedFree(memory);
            NativeMemory.AlignedFree(panels);
            NativeMemory.AlignedFree(a);
            NativeMemory.AlignedFree(c);
        }
    }
}
