using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Cli.Training;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli;

/// <summary>Training steps on random tokens, every token a target.</summary>
internal sealed record TrainBench(string Model, string Method, int Rank, int Batch, int Length, int Steps, bool Checkpointing, ModelStorage? Weights = null, Precision Precision = Precision.F32,
    string Optimizer = "adamw", bool InBackward = false, Precision? Activations = null, string? Memory = null)
{
    /// <summary>Measures; the first step is left out of everything but the time to it.</summary>
    public void Run(BenchReport report)
    {
        using CausalLm model = ModelFiles.Find(Model).LoadModel(Weights);
        report.Tell(model);
        IReadOnlyList<Parameter> parameters = Prepare(model);
        long count = Batch * (1L + (Steps - 1) * report.Repeat);
        TrainingOptions options = new()
        {
            Steps = checked((int)(count / Batch)),
            BatchSize = Batch,
            LearningRate = 1e-4,
            GradientCheckpointing = Checkpointing,
            Precision = Precision,
            Activations = Activations,
            Memory = Memory,
            Optimizer = Optimizer,
            OptimizerInBackward = InBackward,
            MaxGradNorm = InBackward ? 0 : 1,
        };
        MemoryPlanner planner = new(model, parameters, options, items => items * Length)
        {
            Budget = "--memory",
            Remedy = "Give it more, or make it smaller: --seq, --weights nf4-dq, --activations auto, a lower --rank",
        };
        MemoryPlan plan = planner.Plan();
        double needed = plan.Total + (double)count * Length * sizeof(int);
        if (needed > ProcessMemory.MachineBytes)
            throw new InputException(string.Create(CultureInfo.InvariantCulture, $"--batch {Batch} and --seq {Length}: about {needed / 1e6:N0} MB are needed, and this machine has {ProcessMemory.MachineBytes / 1e6:N0} MB. Make one of them smaller, or give --memory"));
        long measuring = Stopwatch.GetTimestamp();
        (MachineSpeed machine, long peak) = report.MeasureMachineBeside();
        double measured = Stopwatch.GetElapsedTime(measuring).TotalSeconds;
        Random random = new(1);
        TrainingExample[] rows = [.. Enumerable.Range(0, checked((int)count)).Select(_ => TrainingExample.Whole(RandomTokens(random, Length, model.Facts.Vocabulary)))];
        using Trainer trainer = new(model, parameters, options, 1e-4, ExampleSet.Of(rows, Packing.None, Length), RowOrder.File, passes: plan.Passes);

        double start = (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds - measured;
        double loss = trainer.OneStep().Loss;
        for (int repetition = 0; repetition < report.Repeat; repetition++)
            Measure(report, BenchReport.MeasureAgain(machine), model, parameters, plan, trainer, start, loss, peak);
    }

    private void Measure(BenchReport report, MachineSpeed machine, CausalLm model, IReadOnlyList<Parameter> parameters, MemoryPlan plan, Trainer trainer, double start, double loss, long peakBefore)
    {
        double[] times = new double[Steps - 1];
        long[] bytes = new long[times.Length];
        for (int step = 0; step < times.Length; step++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            times[step] = trainer.OneStep().Seconds;
            bytes[step] = GC.GetTotalAllocatedBytes(precise: true) - before;
        }
        // the median: the second step still makes what is made once, and the runtime starts threads of its own when it compiles anew
        Array.Sort(bytes);
        long allocated = bytes[bytes.Length / 2];
        long peak = Math.Max(peakBefore, ProcessMemory.PeakBytes());
        machine = BenchReport.MeasureAgain(machine);
        Array.Sort(times);
        double seconds = times[times.Length / 2];
        int tokens = Batch * Length;
        (double weights, double adapter, double attention) = UsefulFlops(model, parameters);
        double flops = weights + adapter + attention;
        double gemm = GemmSpeed.Median(GemmForm.Forward, 1024, 1024, 1024, DType.F32, machine.Threads, 0.4);
        report.Add(
            (BenchReport.Kind, "train"), ("model", Model), ("weights", StorageOf(model)), ("method", Method), ("rank", Method == "full" ? 0 : Rank), ("batch", Batch), ("seq", Length), ("precision", Trainer.PrecisionOf(Precision) == GemmPrecision.BF16 ? "bf16" : "f32"),
            ("checkpointing", Checkpointing), ("passes", plan.Description), ("optimizer", Optimizer), ("optimizer_in_backward", InBackward), ("threads", machine.Threads), ("trainable", parameters.Sum(parameter => parameter.Shape.Elements)),
            ("tok_s", tokens / seconds), ("step_s", seconds), ("step_min_s", times[0]), ("start_s", start), ("peak_rss_mb", peak / 1048576.0), ("estimated_mb", plan.Total / 1048576.0), ("estimated_activation_mb", plan.Activations / 1048576.0),
            ("useful_gflops", flops / seconds / 1e9), ("weights_gflop", weights / 1e9), ("adapter_gflop", adapter / 1e9), ("attention_gflop", attention / 1e9), ("share_of_peak", flops / seconds / 1e9 / machine.FmaAllCores), ("share_of_gemm", flops / seconds / 1e9 / gemm),
            ("gemm_gflops", gemm), ("weight_mb", model.Parameters.Where(parameter => !parameter.Trainable).Sum(parameter => parameter.Value.Bytes) / 1048576.0), ("activation_mb", (double)trainer.PeakActivationBytes / (1 << 20)), ("allocated_bytes", allocated), ("first_loss", loss),
            ("fma_peak_gflops", machine.FmaAllCores), ("read_gb_s", machine.ReadAllCores));
    }

    /// <summary>The storage of a model's matrices without its head, with shares of their weights where it is not one for all.</summary>
    public static string StorageOf(CausalLm model)
    {
        (DType Type, long Weights)[] stored =
        [
            .. model.Modules.OfType<Linear>().Where(layer => layer != model.Head).GroupBy(layer => layer.Weight.Value.Type)
                .Select(group => (group.Key, group.Sum(layer => layer.Weight.Value.Shape.Elements))).OrderByDescending(group => group.Item2),
        ];
        long all = stored.Sum(group => group.Weights);
        return stored.Length == 1 ? WeightStorage.NameOf(stored[0].Type)
            : string.Join(", ", stored.Select(group => string.Create(CultureInfo.InvariantCulture, $"{WeightStorage.NameOf(group.Type)} {100.0 * group.Weights / all:0} %")));
    }

    /// <summary>Token ids of no meaning.</summary>
    public static int[] RandomTokens(Random random, int count, int vocabulary)
    {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++)
            ids[i] = random.Next(vocabulary);
        return ids;
    }

    /// <summary>Weights of all products with the checkpoint's matrices, the head included: each costs two operations a token.</summary>
    public static long ProductWeights(CausalLm model) => model.Modules.OfType<Linear>().Sum(layer => (long)layer.Inputs * layer.Outputs);

    /// <summary>
    /// Operations of a step that no implementation could leave out, forward and backward: two for each multiply-add of products with the model's weights (whose
    /// own gradients count where they are trained), with the adapter's matrices, and of attention to what a token may see; none for what checkpointing computes twice.
    /// </summary>
    private (double Weights, double Adapter, double Attention) UsefulFlops(CausalLm model, IReadOnlyList<Parameter> parameters)
    {
        double tokens = Batch * Length;
        bool full = Method == "full";
        double adapter = full || Method == "prefix" ? 0 : 6.0 * tokens * parameters.Where(parameter => parameter.Shape.Rank == 2).Sum(parameter => parameter.Shape.Elements);
        // the backward pass has twice the products of the forward pass; the scores that it computes again are not counted
        double attention = 3 * model.Modules.OfType<AttentionCore>().Sum(layer => AttentionSpeed.Operations(AttentionForm.Forward, Batch, Length, layer.Heads, layer.HeadDim));
        return ((full ? 6.0 : 4.0) * tokens * ProductWeights(model), adapter, attention);
    }

    private IReadOnlyList<Parameter> Prepare(CausalLm model)
    {
        if (Method == "full")
        {
            if (model.Modules.OfType<Linear>().FirstOrDefault(layer => layer.Weight.Value.Type.IsBlocked()) is { } stored)
                throw new InputException($"--method full: {Model} is stored as {WeightStorage.NameOf(stored.Weight.Value.Type)}, and full fine-tuning trains the matrices themselves, which cannot stay quantised; take the model that it was made from, or --method lora");
            return model.Parameters;
        }
        JsonObject options = new() { ["r"] = Rank, ["lora_alpha"] = 2 * Rank, ["target_modules"] = "all-linear" };
        Adapter adapter = AdapterFile.Create(model, PeftRegistry.OfRecipe(Method), options, nameOf: key => key == "r" ? "--rank" : $"adapter.{key}");
        adapter.Attach();
        return adapter.Parameters;
    }
}
