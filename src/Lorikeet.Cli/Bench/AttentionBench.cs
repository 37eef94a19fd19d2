using Lorikeet.Kernels;

namespace Lorikeet.Cli;

/// <summary>Attention of training, of reading a prompt and of writing text.</summary>
/// <param name="Sequences">Texts together.</param>
/// <param name="Length">Tokens of each.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads.</param>
/// <param name="HeadDim">Dimensions of a head.</param>
internal sealed record AttentionBench(int Sequences, int Length, int Heads, int KvHeads, int HeadDim)
{
    private const double Seconds = 0.25;

    /// <summary>What forms are called.</summary>
    public static readonly (string Name, AttentionForm Form)[] Forms =
        [("forward", AttentionForm.Forward), ("backward", AttentionForm.Backward), ("prefill", AttentionForm.Prefill), ("decode", AttentionForm.Decode)];

    /// <summary>Measures the forms.</summary>
    public void Run(BenchReport report, string[] forms, int[] threads)
    {
        MachineSpeed machine = report.MeasureMachine();
        foreach (int count in threads)
        {
            foreach ((string name, AttentionForm form) in Forms.Where(known => forms.Contains(known.Name)))
            {
                for (int repetition = 0; repetition < report.Repeat; repetition++)
                    Measure(report, machine, name, form, count);
            }
        }
    }

    private void Measure(BenchReport report, MachineSpeed machine, string name, AttentionForm form, int threads)
    {
        double before = MachinePeak.FmaPeak(threads, BenchReport.AgainSeconds);
        double seconds = AttentionSpeed.Median(form, Sequences, Length, Heads, KvHeads, HeadDim, threads, Seconds);
        double peak = Math.Max(before, MachinePeak.FmaPeak(threads, BenchReport.AgainSeconds)), read = MachinePeak.MemoryBandwidth(threads, BenchReport.AgainSeconds);
        if (threads == 1 || threads == machine.Threads)
            (peak, read) = (Math.Max(peak, threads == 1 ? machine.FmaOneCore : machine.FmaAllCores), Math.Max(read, threads == 1 ? machine.ReadOneCore : machine.ReadAllCores));
        double rate = AttentionSpeed.Operations(form, Sequences, Length, Heads, HeadDim) / seconds / 1e9;
        double traffic = AttentionSpeed.Bytes(form, Sequences, Length, Heads, KvHeads, HeadDim) / seconds / 1e9;
        report.Add(
            (BenchReport.Kind, "attention"), ("form", name), ("batch", Sequences), ("length", Length), ("heads", Heads), ("kv_heads", KvHeads), ("head_dim", HeadDim), ("threads", threads),
            ("gflops", rate), ("share_of_peak", rate / peak), ("seconds", seconds), ("gb_s", traffic), ("share_of_bandwidth", traffic / read),
            ("fma_peak_gflops", peak), ("read_gb_s", read));
    }
}
