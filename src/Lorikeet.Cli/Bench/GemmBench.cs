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
        Measure(report, report.MeasureMachine(), form, m, n, k, second, precision, threads);
    }

    /// <summary>1024³ and every distinct shape of a model's linear layers.</summary>
    public static void RunModel(BenchReport report, CausalLm model, int tokens, int rank, DType second, GemmPrecision precision, int[] threads)
    {
        MachineSpeed machine = report.MeasureMachine();
        (int In, int Out)[] shapes = [.. model.Modules.OfType<Linear>().Where(layer => layer != model.Head).Select(layer => (layer.Inputs, layer.Outputs)).Distinct()];
        Measure(report, machine, "forward", 1024, 1024, 1024, second, precision, threads);
        foreach ((int inputs, int outputs) in shapes)
        {
            Measure(report, machine, "forward", tokens, outputs, inputs, second, precision, threads);
            Measure(report, machine, "backward-input", tokens, inputs, outputs, second, precision, threads);
            Measure(report, machine, "lora-gradient-a", rank, inputs, tokens, DType.F32, precision, threads);
            Measure(report, machine, "lora-gradient-b", outputs, rank, tokens, DType.F32, precision, threads);
        }
    }

    /// <summary>What a form is called, as the kernels know it.</summary>
    public static GemmForm FormOf(string name) => name switch
    {
        "forward" => GemmForm.Forward,
        "backward-input" => GemmForm.BackwardInput,
        _ => GemmForm.WeightGradient,
    };

    private static void Measure(BenchReport report, MachineSpeed machine, string form, int m, int n, int k, DType second, GemmPrecision precision, int[] threads)
    {
        GemmRate[][] often = [.. Enumerable.Range(0, report.Repeat).Select(_ => GemmSpeed.InTurn(FormOf(form), m, n, k, second, threads, Seconds, precision))];
        int one = Array.IndexOf(threads, 1);
        for (int i = 0; i < threads.Length; i++)
        {
            foreach (GemmRate[] rates in often)
            {
                (string, object)[] speedup = one < 0 || threads.Length == 1 ? [] : [("speedup", rates[i].Rate / rates[one].Rate), ("best_speedup", rates[i].Best / rates[one].Best)];
                report.Add([
                    (BenchReport.Kind, "gemm"), ("form", form), ("m", m), ("n", n), ("k", k), ("threads", threads[i]), ("precision", PrecisionOption.NameOf(precision)), ("weights", WeightStorage.NameOf(second)),
                    ("gflops", rates[i].Rate), ("share_of_peak", rates[i].Rate / rates[i].Dots), ("share_of_fma_peak", rates[i].Rate / rates[i].Fma),
                    ("best_gflops", rates[i].Best), ("best_share_of_peak", rates[i].Best / rates[i].Dots), .. speedup,
                    ("fma_peak_gflops", rates[i].Fma), ("read_gb_s", threads[i] == 1 ? machine.ReadOneCore : machine.ReadAllCores)]);
            }
        }
    }
}
