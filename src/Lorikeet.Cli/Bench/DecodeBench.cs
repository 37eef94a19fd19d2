using System.Diagnostics;
using System.Globalization;
using Lorikeet.Cli.Training;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>Reading a prompt, and writing one token after another.</summary>
internal static class DecodeBench
{
    private const int WarmUp = 8, Prefills = 5;

    /// <summary>Prompts, chunk after chunk, up to the first token behind each.</summary>
    public static void Prefill(BenchReport report, string name, int streams, int tokens, int chunk, ModelStorage? weights = null, GemmPrecision precision = GemmPrecision.Single)
    {
        using CausalLm model = ModelFiles.Find(name).LoadModel(weights);
        report.Tell(model);
        RefuseTooMany(model, streams, tokens + 1, DType.F32);
        (MachineSpeed machine, long before) = report.MeasureMachineBeside();
        using Generator generator = new(model, maxBatch: streams) { Precision = precision, PrefillChunk = chunk };
        Random random = new(1);
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, streams).Select(_ => new GenerationRequest { Prompt = TrainBench.RandomTokens(random, tokens, model.Facts.Vocabulary), MaxTokens = 1 }),
        ];
        for (int warmUp = 0; warmUp < 2; warmUp++)
            Pass();
        for (int repetition = 0; repetition < report.Repeat; repetition++)
            Measure(BenchReport.MeasureAgain(machine));

        void Pass()
        {
            foreach (GenerationRequest request in requests)
                generator.Add(request);
            generator.Run();
        }

        void Measure(MachineSpeed machine)
        {
            double[] times = new double[Prefills];
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            for (int run = 0; run < Prefills; run++)
            {
                long start = Stopwatch.GetTimestamp();
                Pass();
                times[run] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            allocated = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / Prefills;
            machine = BenchReport.MeasureAgain(machine);
            Array.Sort(times);
            double seconds = times[Prefills / 2];
            // the head reads one row of each
            double flops = 2.0 * streams * ((TrainBench.ProductWeights(model) - (long)model.Head.Inputs * model.Head.Outputs) * tokens);
            report.Add(
                (BenchReport.Kind, "prefill"), ("model", name), ("weights", TrainBench.StorageOf(model)), ("precision", PrecisionOption.NameOf(precision)), ("streams", streams), ("tokens", tokens), ("prefill_chunk", chunk), ("threads", machine.Threads),
                ("tok_s", (double)streams * tokens / seconds), ("seconds", seconds), ("useful_gflops", flops / seconds / 1e9), ("share_of_peak", flops / seconds / 1e9 / PeakOf(machine, precision)),
                ("peak_rss_mb", Math.Max(before, ProcessMemory.PeakBytes()) / 1048576.0), ("activation_mb", generator.ActivationBytes / 1048576.0), ("allocated_bytes", allocated),
                ("fma_peak_gflops", machine.FmaAllCores), ("read_gb_s", machine.ReadAllCores));
        }
    }

    // of the fastest instructions that the precision may use
    private static double PeakOf(MachineSpeed machine, GemmPrecision precision) => precision switch
    {
        GemmPrecision.BF16 => Math.Max(machine.FmaAllCores, machine.BF16AllCores),
        GemmPrecision.Int8 => Math.Max(machine.FmaAllCores, Math.Max(machine.BF16AllCores, machine.Int8AllCores)),
        _ => machine.FmaAllCores,
    };

    // weights, keys and values of all texts, and a row of logits of each
    private static void RefuseTooMany(CausalLm model, int streams, long tokens, DType kvCache)
    {
        ModelFacts facts = model.Facts;
        double element = kvCache == DType.F32 ? 4 : kvCache == DType.BF16 ? 2 : 1;
        double needed = model.Parameters.Sum(parameter => parameter.Value.Bytes) + (double)streams * (tokens * 2 * facts.Layers * facts.KvHeads * facts.HeadDim * element + facts.Vocabulary * sizeof(float));
        if (needed > ProcessMemory.MachineBytes)
            throw new InputException(string.Create(CultureInfo.InvariantCulture, $"--streams {streams}: texts of {tokens} tokens need about {needed / 1e6:N0} MB, and this machine has {ProcessMemory.MachineBytes / 1e6:N0} MB. Measure fewer, or shorter ones"));
    }

    /// <summary>Tokens that the longest text of <see cref="Decode"/> comes to: the first is written while prompts of others are read.</summary>
    public static long TokensOf(int streams, int tokens, int context, int chunk) => (long)context + WarmUp + tokens + ((long)streams * context - 1) / chunk;

    /// <summary>Greedy texts, all of them a token further with each pass.</summary>
    public static void Decode(BenchReport report, string name, int streams, int tokens, int context, int chunk, ModelStorage? weights = null, GemmPrecision precision = GemmPrecision.Single, DType kvCache = DType.F32)
    {
        // before the machine is measured, which takes its time: how long somebody waits who has just started the program
        long begin = Stopwatch.GetTimestamp();
        using CausalLm model = ModelFiles.Find(name).LoadModel(weights);
        RefuseTooMany(model, streams, TokensOf(streams, tokens, context, chunk), kvCache);
        (double Load, double FirstToken) started = (Stopwatch.GetElapsedTime(begin).TotalSeconds, 0);
        using (Generator first = new(model) { Precision = precision, KvCacheType = kvCache })
        {
            first.Add(new GenerationRequest { Prompt = [1], MaxTokens = 1 });
            first.Next();
        }
        started.FirstToken = ProcessClock.Seconds;
        report.Tell(model);
        (MachineSpeed machine, long before) = report.MeasureMachineBeside();
        double? peak = null;
        for (int repetition = 0; repetition < report.Repeat; repetition++)
            Measure(report, machine, model, name, streams, tokens, context, chunk, precision, kvCache, started, before, ref peak);
    }

    private static void Measure(BenchReport report, MachineSpeed machine, CausalLm model, string name, int streams, int tokens, int context, int chunk, GemmPrecision precision, DType kvCache,
        (double Load, double FirstToken) started, long before, ref double? peak)
    {
        using Generator generator = new(model, maxBatch: streams) { Precision = precision, KvCacheType = kvCache, PrefillChunk = chunk };
        Random random = new(1);
        List<Generation> texts = [];
        for (int stream = 0; stream < streams; stream++)
        {
            texts.Add(generator.Add(new GenerationRequest
            {
                Prompt = TrainBench.RandomTokens(random, context, model.Facts.Vocabulary),
                MaxTokens = int.MaxValue,
            }));
        }
        while (texts[^1].Tokens.Length == 0)
            generator.Next();
        for (int pass = 1; pass < WarmUp; pass++)
            generator.Next();
        // before the probe takes as much again
        peak ??= Math.Max(before, ProcessMemory.PeakBytes()) / 1048576.0;
        long bytes = WeightBytes(model), begin = 0, middle = 0;
        using ReadProbe probe = new(bytes);
        double[] times = new double[tokens], reads = new double[tokens];
        int half = tokens / 2;
        for (int pass = 0; pass < tokens; pass++)
        {
            if (pass == 0)
                begin = GC.GetTotalAllocatedBytes(precise: true);
            if (pass == half)
                middle = GC.GetTotalAllocatedBytes(precise: true);
            reads[pass] = probe.Read();
            long start = Stopwatch.GetTimestamp();
            generator.Next();
            times[pass] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        long end = GC.GetTotalAllocatedBytes(precise: true);
        // what recurs is in both halves; what the runtime takes once, when it compiles a method again, is in one
        long recurring = Math.Min((middle - begin) / half, (end - middle) / (tokens - half));
        Array.Sort(times);
        Array.Sort(reads);
        double seconds = times[half], read = bytes / reads[half] / 1e9;
        report.Add(
            (BenchReport.Kind, "decode"), ("model", name), ("weights", TrainBench.StorageOf(model)), ("precision", PrecisionOption.NameOf(precision)), ("streams", streams), ("context", context), ("tokens", tokens), ("prefill_chunk", chunk),
            ("kv_cache", KvCacheOption.NameOf(kvCache)), ("kv_mb", generator.KvBytes / 1048576.0), ("threads", machine.Threads), ("tok_s", streams / seconds), ("pass_s", seconds),
            ("load_s", started.Load), ("first_token_s", started.FirstToken),
            ("weight_mb", bytes / 1048576.0), ("share_of_bandwidth", bytes / seconds / 1e9 / read),
            ("peak_rss_mb", peak.Value), ("allocated_bytes", recurring), ("fma_peak_gflops", machine.FmaAllCores), ("read_gb_s", read));
    }

    // what a pass has to read: every matrix once, in its storage, however many texts there are
    private static long WeightBytes(CausalLm model) => model.Modules.OfType<Linear>().Sum(layer => layer.Weight.Value.Bytes);
}
