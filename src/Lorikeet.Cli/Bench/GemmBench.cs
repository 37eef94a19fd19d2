using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;

namespace Lorikeet.Cli;

/// <summary>Matrix products: a cube, and the shapes that training a model runs.</summary>
internal static class GemmBench
{
    private const double Seconds = 0.25;

    /// <summary>One shape.</summary>
    public static void RunOne(BenchReport report, int m, int n, int k, string form, DType second, GemmPrecision precision, int[] threads)
    {
        MachineSpeed machine = report.MeasureMachine();
        foreach (int count in threads)
            MeasureOften(report, machine, form, m, n, k, second, precision, count);
    }

    /// <summary>1024³ and every distinct shape of a model's linear layers.</summary>
    public static void RunModel(BenchReport report, CausalLm model, int tokens, int rank, DType second, GemmPrecision precision, int[] threads)
    {
        MachineSpeed machine = report.MeasureMachine();
        (int In, int Out)[] shapes = [.. model.Modules.OfType<Linear>().Where(layer => layer != model.Head).Select(layer => (layer.Inputs, layer.Outputs)).Distinct()];
        foreach (int count in threads)
        {
            MeasureOften(report, machine, "forward", 1024, 1024, 1024, second, precision, count);
            foreach ((int inputs, int outputs) in shapes)
            {
                MeasureOften(report, machine, "forward", tokens, outputs, inputs, second, precision, count);
                MeasureOften(report, machine, "backward-input", tokens, inputs, outputs, second, precision, count);
                MeasureOften(report, machine, "lora-gradient-a", rank, inputs, tokens, DType.F32, precision, count);
                MeasureOften(report, machine, "lora-gradient-b", outputs, rank, tokens, DType.F32, precision, count);
            }
        }
    }

    /// <summary>What a form is called, as the kernels know it.</summary>
    public static GemmForm FormOf(string name) => name switch
    {
        "forward" => GemmForm.Forward,
        "backward-input" => GemmForm.BackwardInput,
        _ => GemmForm.WeightGradient,
    };

    private static void MeasureOften(BenchReport report, MachineSpeed machine, string form, int m, int n, int k, DType second, GemmPrecision precision, int threads)
    {
        for (int repetition = 0; repetition < report.Repeat; repetition++)
            Measure(report, machine, form, m, n, k, second, precision, threads);
    }

    private static void Measure(BenchReport report, MachineSpeed machine, string form, int m, int n, int k, DType second, GemmPrecision precision, int threads)
    {
        double before = MachinePeak.FmaPeak(threads, BenchReport.AgainSeconds);
        double rate = GemmSpeed.Median(FormOf(form), m, n, k, second, threads, Seconds, precision);
        double around = Math.Max(before, MachinePeak.FmaPeak(threads, BenchReport.AgainSeconds));
        // the machine's figures of as many threads
        double known = threads == 1 ? machine.FmaOneCore : threads == machine.Threads ? machine.FmaAllCores : around;
        double peak = Math.Max(around, known);
        // dot products slow down with the multiply-adds when others use the machine
        double dots = peak / known * precision switch
        {
            GemmPrecision.BF16 => threads == 1 ? machine.BF16OneCore : machine.BF16AllCores,
            GemmPrecision.Int8 => threads == 1 ? machine.Int8OneCore : machine.Int8AllCores,
            _ => known,
        };
        report.Add(
            (BenchReport.Kind, "gemm"), ("form", form), ("m", m), ("n", n), ("k", k), ("threads", threads), ("precision", PrecisionOption.NameOf(precision)), ("weights", WeightStorage.NameOf(second)),
            ("gflops", rate), ("share_of_peak", rate / (dots > 0 ? dots : peak)), ("share_of_fma_peak", rate / peak),
            ("fma_peak_gflops", peak), ("read_gb_s", threads == 1 ? machine.ReadOneCore : machine.ReadAllCores));
    }
}
