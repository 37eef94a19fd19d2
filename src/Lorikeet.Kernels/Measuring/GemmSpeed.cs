using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lorikeet.Kernels;

/// <summary>Which product of a linear layer <c>y [tokens, out] = x [tokens, in] Wᵀ</c> a measurement stands for: they differ in what lies transposed in memory.</summary>
public enum GemmForm
{
    /// <summary><c>x Wᵀ</c>: both factors lie with the summed dimension innermost.</summary>
    Forward,
    /// <summary><c>dy W</c>: the weight lies with the summed dimension outermost.</summary>
    BackwardInput,
    /// <summary><c>dyᵀ x</c>: both lie with the summed dimension, the tokens, outermost.</summary>
    WeightGradient,
}

/// <summary>
/// Measures <see cref="Gemm"/> on matrices of its own. Weights whose codes are multiplied as integers are interleaved before, as a model's are when it first
/// meets them; everything else, activations included, is packed inside each product.
/// </summary>
public static unsafe class GemmSpeed
{
    private const int Rounds = 5;

    /// <summary>How long a peak is measured in each round, in seconds.</summary>
    private const double PeakSeconds = 0.01;

    /// <summary>The median rate in 10⁹ operations a second, a multiply-add being two.</summary>
    /// <param name="form">How the factors lie in memory.</param>
    /// <param name="m">Rows of the result.</param>
    /// <param name="n">Columns of the result.</param>
    /// <param name="k">Length of the sums.</param>
    /// <param name="second">Storage of the second factor, any that products read.</param>
    /// <param name="threads">Threads of the <see cref="ComputePool"/>.</param>
    /// <param name="seconds">How long to measure; at least five products are timed.</param>
    /// <param name="precision">How far factors may be rounded.</param>
    public static double Median(GemmForm form, int m, int n, int k, DType second, int threads, double seconds, GemmPrecision precision = GemmPrecision.Single) =>
        InTurn(form, m, n, k, second, [threads], seconds, precision)[0].Rate;

    /// <summary>
    /// The same with several numbers of threads, and the peaks of as many, all in turn: what slows the machine for a moment slows all alike.
    /// </summary>
    public static GemmRate[] InTurn(GemmForm form, int m, int n, int k, DType second, ReadOnlySpan<int> threads, double seconds, GemmPrecision precision = GemmPrecision.Single)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(m, Math.Min(n, k)), 1);
        if ((form == GemmForm.Forward ? k : n) % second.BlockSize() != 0)
            throw new ArgumentException($"a row of {second} is whole blocks of {second.BlockSize()}: {(form == GemmForm.Forward ? k : n)} is not");
        float* a = MeasuredMatrix.New((long)m * k), b = MeasuredMatrix.New((long)n * k), c = MeasuredMatrix.New((long)m * n);
        bool interleaved = precision == GemmPrecision.Int8 && form == GemmForm.Forward && !KernelChoice.IsReference && QuantizedPanels.Fits(second, k);
        byte* panels = interleaved ? (byte*)NativeMemory.AlignedAlloc((nuint)QuantizedPanels.Bytes(second, n, k), 64) : null;
        int before = ComputePool.Threads;
        try
        {
            // in place: nothing takes more room than singles
            if (second != DType.F32)
                MeasuredMatrix.Fill((byte*)b, second.Bytes((long)n * k));
            bool transposeA = form == GemmForm.WeightGradient, transposeB = form != GemmForm.Forward;
            GemmCall call = new()
            {
                M = m,
                N = n,
                K = k,
                A = new GemmOperand(a, DType.F32, transposeA ? m : k, transposeA),
                B = new GemmOperand(b, second, transposeB ? n : k, transposeB),
                Alpha = 1,
                C = c,
                StrideC = n,
                Precision = precision,
            };
            if (interleaved)
            {
                QuantizedPanels.Interleave(call.B, n, k, panels);
                call.B.Panels = panels;
            }
            List<double>[] times = new List<double>[threads.Length];
            GemmRate[] rates = new GemmRate[threads.Length];
            for (int round = 0; round < Rounds; round++)
            {
                for (int i = 0; i < threads.Length; i++)
                {
                    ComputePool.Threads = threads[i];
                    rates[i] = MachinePeak.Around(rates[i], precision, threads[i], PeakSeconds);
                    Time(call, round == 0 ? 2 : 1, seconds / Rounds, times[i] ??= []);
                }
            }
            for (int i = 0; i < threads.Length; i++)
            {
                times[i].Sort();
                double operations = 2.0 * m * n * k / 1e9;
                rates[i] = rates[i] with { Rate = operations / times[i][times[i].Count / 2], Best = operations / times[i][0] };
            }
            return rates;
        }
        finally
        {
            ComputePool.Threads = before;
            NativeMemory.AlignedFree(a);
            NativeMemory.AlignedFree(b);
            NativeMemory.AlignedFree(c);
            NativeMemory.AlignedFree(panels);
        }
    }

    /// <summary>Runs a product for a while, at least once after it has warmed code and caches.</summary>
    private static void Time(in GemmCall call, int warming, double seconds, List<double> times)
    {
        for (; warming > 0; warming--)
            Gemm.Run(call);
        long began = Stopwatch.GetTimestamp();
        do
        {
            long start = Stopwatch.GetTimestamp();
            Gemm.Run(call);
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds);
    }
}
