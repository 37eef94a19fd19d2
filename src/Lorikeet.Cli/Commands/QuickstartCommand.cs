using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Lorikeet.Cli.Training;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet quickstart</c>: the whole journey on a model and data that come with the program.</summary>
internal static class QuickstartCommand
{
    private const string Model = "stories260K";

    private const string OwnRecipe = """
        # LoRA on a chat model with your own rows. `lorikeet train mine.yaml --dry-run` checks it; docs/training.md shows every key.
        model: HuggingFaceTB/SmolLM2-135M-Instruct
        adapter:
          method: lora
          r: 16
          lora_alpha: 32
          target_modules: all-linear
        data:
          train: yours.jsonl    # lines of {"messages": [...]}, {"prompt": ..., "completion": ...} or {"text": ...}
          eval_fraction: 0.1
        training:
          epochs: 3
          batch_size: 8
          learning_rate: 2e-4
        output: runs/mine

        """;

    /// <summary>How far logits may be apart that ought to be the same, as a share of the largest: rounding of single precision.</summary>
    private const float Tolerance = 1e-5f;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string> output = new("--output") { Description = "Where adapter, metrics and report go", DefaultValueFactory = _ => Path.Combine("runs", "quickstart") };
        Option<double> epochs = new("--epochs") { Description = "Passes over the training rows; fewer are faster and learn less", DefaultValueFactory = _ => 4 };
        ExampleCommand command = new("quickstart", "Train, save, reload, merge and compare a LoRA adapter on a small model and data set that come with the program: under a minute.",
            "lorikeet quickstart\nlorikeet quickstart --output /tmp/first-run")
        {
            output, epochs,
        };
        command.SetAction(parse => Run(terminal, parse.GetRequiredValue(output), parse.GetValue(epochs)));
        return command;
    }

    private static int Run(Terminal terminal, string output, double epochs)
    {
        long start = Stopwatch.GetTimestamp();
        string embedded = Path.Combine(AppContext.BaseDirectory, "Embedded");
        string model = Path.Combine(embedded, Model);
        Recipe recipe = Recipe.Load(Path.Combine(embedded, "quickstart.yaml"),
            $"model='{model}'", $"data.train.path='{Path.Combine(embedded, "e2e", "train.txt")}'", $"data.eval.path='{Path.Combine(embedded, "e2e", "held-out.txt")}'", $"output='{output}'",
            string.Create(CultureInfo.InvariantCulture, $"training.epochs={epochs}"));
        TextWriter to = terminal.Out;
        using TrainingRun run = TrainingRun.Prepare(recipe, overwrite: IsQuickstart(output));
        to.WriteLine("1. The plan");
        run.PrintPlan(to);
        to.WriteLine();
        to.WriteLine("2. Training");
        to.Flush();
        TrainResult result = run.Run(terminal, terminal.Interrupted);
        if (result.Outcome == TrainOutcome.Interrupted)
        {
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"stopped after step {result.Steps}"));
            return ExitCode.Interrupted;
        }
        (_, IReadOnlyList<EvaluationReport> evaluations) = MetricsLog.Read(Path.Combine(output, "metrics.jsonl"));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"   held-out loss {evaluations[0].Loss:0.000} -> {evaluations[^1].Loss:0.000}, {result.Tokens / result.Seconds:N0} tokens/s, peak memory {ProcessMemory.PeakBytes() / 1e6:N0} MB"));
        to.WriteLine();
        to.WriteLine("3. A sample");
        RunSample sample = run.Samples[0];
        to.WriteLine($"   facts    {sample.Prompt}");
        to.WriteLine($"   before   {OneLine(sample.Before)}");
        to.WriteLine($"   after    {OneLine(sample.After)}");
        to.WriteLine();
        to.WriteLine("4. Saved, loaded again, merged");
        Tensor trained = Logits(run.Model, run.Data);
        using CausalLm fresh = ModelLoader.Load(model);
        Adapter adapter = AdapterFile.Load(fresh, run.ResultFolder);
        adapter.Attach();
        float loaded = Difference(trained, Logits(fresh, run.Data));
        adapter.Merge();
        float merged = Difference(trained, Logits(fresh, run.Data));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   saved to {run.ResultFolder} in PEFT's format"));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   loaded into a fresh base model: logits differ by {loaded:0.0e+0} of the largest  {Verdict(loaded)}"));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   merged into the weights:        logits differ by {merged:0.0e+0} of the largest  {Verdict(merged)}"));
        string report = Path.GetFullPath(Path.Combine(output, "report.html"));
        to.WriteLine($"   report with curves and samples: {report}");
        to.WriteLine();
        string own = Path.Combine(output, "mine.yaml");
        Formats.AtomicFile.WriteText(own, OwnRecipe);
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Done in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s. Next, on your own data:"));
        to.WriteLine("   lorikeet pull HuggingFaceTB/SmolLM2-135M-Instruct");
        to.WriteLine($"   lorikeet train {own}   (a recipe to begin with: put your file's name into it)");
        to.WriteLine("   lorikeet chat HuggingFaceTB/SmolLM2-135M-Instruct --adapter mine=runs/mine/adapter");
        return loaded <= Tolerance && merged <= Tolerance ? ExitCode.Success : ExitCode.Failed;
    }

    // a second quickstart may replace a first one, but nobody's own run
    private static bool IsQuickstart(string output)
    {
        try
        {
            return Path.GetFileName(Recipe.Load(Path.Combine(output, "recipe.yaml")).Model.Path) == Model;
        }
        catch (InputException)
        {
            return false;
        }
    }

    private static string Verdict(float difference) => difference <= Tolerance ? "(equal)" : "(NOT equal)";

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();

    // the first held-out rows, seen by the model as it is
    private static Tensor Logits(CausalLm model, TrainingData data)
    {
        using Tape tape = new();
        Step step = new(tape);
        RaggedBatch batch = new();
        for (int i = 0; i < 4; i++)
            batch.Add(data.Eval![i][0].Ids);
        step.Begin(batch);
        return model.Logits(step, model.Hidden(step)).ToF32();
    }

    private static float Difference(Tensor a, Tensor b)
    {
        float worst = 0, largest = 1;
        for (int i = 0; i < a.Values.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(a.Values[i]));
            worst = float.IsFinite(b.Values[i]) ? Math.Max(worst, Math.Abs(a.Values[i] - b.Values[i])) : float.PositiveInfinity;
        }
        return worst / largest;
    }
}
