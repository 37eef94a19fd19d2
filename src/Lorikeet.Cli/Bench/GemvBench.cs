using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;

namespace Lorikeet.Cli;

/// <summary>Products of few rows with weights as they are stored, held against the memory that has to bring them.</summary>
internal static class GemvBench
{
    private const double Seconds = 0.25;

    /// <summary>The distinct shapes of a model's linear layers, head included: columns of the result, length of the sums.</summary>
    public static (int N, int K)[] ShapesOf(CausalLm model) => [.. model.Modules.OfType<Linear>().Select(layer => (layer.Outputs, layer.Inputs)).Distinct()];

    /// <summary>Measures every shape with every number of rows.</summary>
    public static void Run(BenchReport report, (int N, int K)[] shapes, int[] rows, DType weights, GemmPrecision precision, int[] threads)
    {
        MachineSpeed machine = report.MeasureMachine();
        foreach (int count in threads)
        {
            foreach ((int n, int k) in shapes)
            {
                foreach (int m in rows)
                {
                    for (int repetition = 0; repetition < report.Repeat; repetition++)
                        Measure(report, machine, m, n, k, weights, precision, count);
                }
            }
        }
    }

    private static void Measure(BenchReport report, MachineSpeed machine, int m, int n, int k, DType weights, GemmPrecision precision, int threads)
    {
        double before = MachinePeak.MemoryBandwidth(threads, BenchReport.AgainSeconds);
        double seconds = GemvSpeed.Median(m, n, k, weights, threads, Seconds, precision);
        // others may use the machine: memory is measured right before and after, too
        double read = Math.Max(Math.Max(before, MachinePeak.MemoryBandwidth(threads, BenchReport.AgainSeconds)), threads == 1 ? machine.ReadOneCore : threads == machine.Threads ? machine.ReadAllCores : 0);
        double bytes = weights.Bytes((long)n * k);
        report.Add(
            (BenchReport.Kind, "gemv"), ("m", m), ("n", n), ("k", k), ("threads", threads), ("precision", PrecisionOption.NameOf(precision)), ("weights", WeightStorage.NameOf(weights)),
            ("gflops", 2.0 * m * n * k / seconds / 1e9), ("seconds", seconds), ("gb_s", bytes / seconds / 1e9), ("share_of_bandwidth", bytes / seconds / 1e9 / read),
            ("fma_peak_gflops", threads == 1 ? machine.FmaOneCore : machine.FmaAllCores), ("read_gb_s", read));
    }
}
