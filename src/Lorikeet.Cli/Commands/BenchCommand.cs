using System.CommandLine;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet bench</c>: how fast this machine is, and what share of that the kernels, training and generation reach.</summary>
internal static class BenchCommand
{
    private const string DefaultModel = "random:smollm2-135m";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal) => new ExampleCommand("bench", "Measure speed and memory, as shares of what this machine can do.",
        "lorikeet bench gemm\nlorikeet bench train --model random:smollm2-135m --json")
    {
        Gemm(terminal), Train(terminal), Prefill(terminal), Decode(terminal),
    };

    private static ExampleCommand Gemm(Terminal terminal)
    {
        Option<string> model = Model();
        Option<int?> m = new("--m") { Description = "Rows of the result; with --n and --k one shape in place of all" };
        Option<int?> n = new("--n") { Description = "Columns of the result" };
        Option<int?> k = new("--k") { Description = "Length of the sums" };
        Option<string> form = new("--form") { Description = "How the factors of that shape lie in memory", DefaultValueFactory = _ => "forward" };
        form.AcceptOnlyFromAmong("forward", "backward-input", "weight-gradient");
        Option<string> precision = new("--precision") { Description = "How far factors may be rounded before they are multiplied", DefaultValueFactory = _ => "f32" };
        precision.AcceptOnlyFromAmong("f32", "bf16", "int8");
        Option<string> weights = new("--weights") { Description = "Storage of the second factor", DefaultValueFactory = _ => "f32" };
        weights.AcceptOnlyFromAmong("f32", "bf16", "f16", "q8_0", "q4_0", "q4_k", "q6_k");
        Option<int[]> threads = new("--threads") { Description = "How many threads; may be repeated. By default 1 and all", AllowMultipleArgumentsPerToken = true };
        Option<int> tokens = Count("--tokens", "Rows of the model's activations", 1024);
        Option<int> rank = Count("--rank", "Rank of the adapter's products", 16);
        Option<bool> json = Json();
        ExampleCommand command = new("gemm", "Matrix products: 1024³ and the shapes of a model.", "lorikeet bench gemm\nlorikeet bench gemm --m 1024 --n 1024 --k 1024 --threads 1")
        {
            model, m, n, k, form, precision, weights, threads, tokens, rank, json,
        };
        command.SetAction(parse =>
        {
            int?[] sizes = [parse.GetValue(m), parse.GetValue(n), parse.GetValue(k)];
            int[] counts = parse.GetValue(threads) is { Length: > 0 } given ? given : [.. new[] { 1, ComputePool.Threads }.Distinct()];
            List<string> problems = [];
            if (sizes.Any(size => size is null) && sizes.Any(size => size is not null))
                problems.Add("--m, --n and --k: all three or none were expected");
            problems.AddRange(sizes.Where(size => size is < 1 or > 1 << 16).Select(size => $"{size}: a size between 1 and {1 << 16} was expected"));
            problems.AddRange(counts.Where(count => count is < 1 or > ComputePool.MaxThreads).Select(count => $"--threads {count}: a number between 1 and {ComputePool.MaxThreads} was expected"));
            DType second = Enum.Parse<DType>(parse.GetRequiredValue(weights), ignoreCase: true);
            if (second.IsBlocked() && (sizes[2] is not { } terms || terms % second.BlockSize() != 0 || parse.GetValue(form) != "forward"))
                problems.Add($"--weights {parse.GetValue(weights)}: a shape was expected, of the form forward and with a multiple of {second.BlockSize()} as --k");
            if (problems.Count > 0)
                throw new InputException("nothing was measured", problems);
            GemmPrecision rounding = parse.GetValue(precision) switch { "bf16" => GemmPrecision.BF16, "int8" => GemmPrecision.Int8, _ => GemmPrecision.Single };
            return Measure(terminal, parse.GetValue(json), report =>
            {
                if (sizes[0] is { } rows)
                {
                    GemmBench.RunOne(report, rows, sizes[1]!.Value, sizes[2]!.Value, parse.GetRequiredValue(form), second, rounding, counts);
                    return;
                }
                using CausalLm shapes = ModelFiles.Find(parse.GetRequiredValue(model)).LoadModel();
                GemmBench.RunModel(report, shapes, parse.GetValue(tokens), parse.GetValue(rank), second, rounding, counts);
            });
        });
        return command;
    }

    private static ExampleCommand Train(Terminal terminal)
    {
        Option<string> model = Model();
        Option<string> method = new("--method") { Description = "What is trained", DefaultValueFactory = _ => "lora" };
        method.AcceptOnlyFromAmong("lora", "full");
        Option<int> rank = Count("--rank", "LoRA's rank, on all linear layers", 16), batch = Count("--batch", "Rows of a batch", 4);
        Option<int> length = Count("--seq", "Tokens of a row", 256), steps = Count("--steps", "Steps, the first of which is not counted", 6);
        Option<string> precision = new("--precision") { Description = "How products are computed", DefaultValueFactory = _ => "f32" };
        precision.AcceptOnlyFromAmong("f32", "bf16", "auto");
        Option<string?> weights = Weights();
        Option<bool> checkpointing = new("--checkpointing") { Description = "Compute activations again in the backward pass" }, json = Json();
        ExampleCommand command = new("train", "Training steps on random tokens: time, memory, useful operations, managed allocation.",
            "lorikeet bench train --model random:smollm2-135m --method lora --rank 16 --batch 4 --seq 256 --steps 6 --json")
        {
            model, method, rank, batch, length, precision, weights, steps, checkpointing, json,
        };
        command.SetAction(parse =>
        {
            int count = parse.GetValue(steps), tokens = parse.GetValue(length);
            if (count < 2 || tokens < 2)
                throw new InputException("--steps and --seq: at least 2 were expected; the first step is not counted, and the first token has none before it");
            return Measure(terminal, parse.GetValue(json), report => new TrainBench(parse.GetRequiredValue(model), parse.GetRequiredValue(method),
                parse.GetValue(rank), parse.GetValue(batch), tokens, count, parse.GetValue(checkpointing), Storage(parse.GetValue(weights)),
                parse.GetValue(precision) switch { "bf16" => Precision.BF16, "auto" => Precision.Auto, _ => Precision.F32 }).Run(report));
        });
        return command;
    }

    private static ExampleCommand Prefill(Terminal terminal)
    {
        Option<string> model = Model();
        Option<int> tokens = Count("--tokens", "Tokens of the prompt", 512);
        Option<string?> weights = Weights();
        Option<string> precision = PrecisionOption.Create();
        Option<bool> json = Json();
        ExampleCommand command = new("prefill", "Reading a prompt.", "lorikeet bench prefill --model random:smollm2-135m --tokens 512") { model, tokens, weights, precision, json };
        command.SetAction(parse => Measure(terminal, parse.GetValue(json), report => DecodeBench.Prefill(report, parse.GetRequiredValue(model), parse.GetValue(tokens), Storage(parse.GetValue(weights)), PrecisionOption.Read(parse, precision))));
        return command;
    }

    private static ExampleCommand Decode(Terminal terminal)
    {
        Option<string> model = Model();
        Option<int> streams = Count("--streams", "Texts that are written at the same time", 1), tokens = Count("--tokens", "Tokens of each", 64);
        Option<string?> weights = Weights();
        Option<string> precision = PrecisionOption.Create();
        Option<bool> json = Json();
        ExampleCommand command = new("decode", "Writing text, one token after another.", "lorikeet bench decode --model random:smollm2-135m:bf16 --streams 1 --tokens 64")
        {
            model, streams, tokens, weights, precision, json,
        };
        command.SetAction(parse =>
        {
            if (parse.GetValue(tokens) < 2)
                throw new InputException("--tokens: at least 2 were expected, for allocation is measured over each half of them");
            return Measure(terminal, parse.GetValue(json), report => DecodeBench.Decode(report, parse.GetRequiredValue(model), parse.GetValue(streams), parse.GetValue(tokens), Storage(parse.GetValue(weights)), PrecisionOption.Read(parse, precision)));
        });
        return command;
    }

    private static int Measure(Terminal terminal, bool json, Action<BenchReport> run)
    {
        BenchReport report = new(terminal, json);
        // a measurement may take minutes and leaves nothing behind: nobody who has had enough waits for its end
        Task.Run(() => run(report), terminal.Interrupted).WaitAsync(terminal.Interrupted).GetAwaiter().GetResult();
        report.Finish();
        return ExitCode.Success;
    }

    private static Option<string> Model() => new("--model") { Description = "A model; random:NAME[:bf16] needs no download", DefaultValueFactory = _ => DefaultModel };

    private static Option<string?> Weights()
    {
        Option<string?> option = new("--weights") { Description = "Turns the model's matrices into this storage in memory first" };
        option.AcceptOnlyFromAmong([.. WeightStorage.Names]);
        return option;
    }

    private static DType? Storage(string? name) => name is null ? null : WeightStorage.Parse(name);

    private static Option<bool> Json() => CommonOptions.Json("Print one JSON object a line");

    private static Option<int> Count(string name, string description, int fallback)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => fallback };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1 << 20)
                result.AddError($"{name}: a number between 1 and {1 << 20} was expected");
        });
        return option;
    }
}
