using System.CommandLine;
using System.Globalization;
using System.Text;
using Lorikeet.Cli.Training;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet train</c>: a recipe to an adapter or a model.</summary>
internal static class TrainCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> recipe = new("RECIPE.yaml") { Description = "What to train, on what, how; docs/training.md shows every key" };
        Option<string[]> set = new("--set") { Description = "Override a key of the recipe: training.learning_rate=1e-4", AllowMultipleArgumentsPerToken = false };
        Option<string?> memory = new("--memory") { Description = $"The memory that the run may take at most ({MemorySize.Examples}): the same as --set training.memory=" };
        Option<string?> precision = new("--precision") { Description = "How far the factors of products are rounded (f32, bf16 or auto): the same as --set training.precision=" };
        Option<bool> dryRun = new("--dry-run") { Description = "Check recipe, data and model, print the plan and the memory it needs, and stop" };
        Option<bool> resume = new("--resume") { Description = "Go on from the newest checkpoint of the output folder" };
        Option<string?> from = new("--resume-from") { Description = "Go on from this checkpoint" };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace the checkpoints that an earlier run left in the output folder" };
        Option<bool> json = CommonOptions.Json("Print the result as one JSON object");
        ExampleCommand command = new("train", "Fine-tune a model as a recipe says: LoRA and its kin, or the whole model. Ctrl-C finishes the step, saves, and says how to go on.",
            "lorikeet train recipe.yaml\nlorikeet train recipe.yaml --set training.learning_rate=1e-4 --set output=runs/second\nlorikeet train recipe.yaml --dry-run")
        {
            recipe, set, memory, precision, dryRun, resume, from, overwrite, json,
        };
        command.SetAction(parse =>
        {
            string path = parse.GetRequiredValue(recipe);
            string[] overrides =
            [
                .. parse.GetValue(set) ?? [], .. parse.GetValue(memory) is { } budget ? [$"training.memory={budget}"] : Array.Empty<string>(),
                .. parse.GetValue(precision) is { } rounding ? [$"training.precision={rounding}"] : Array.Empty<string>(),
            ];
            string? checkpoint = parse.GetValue(from);
            bool replaces = parse.GetValue(overwrite);
            if (replaces && (checkpoint is not null || parse.GetValue(resume)))
                throw new InputException("--overwrite begins anew and --resume goes on; one of them was expected");
            if (checkpoint is not null && parse.GetValue(resume))
                throw new InputException("--resume takes the newest checkpoint and --resume-from the one that it names; one of them was expected");
            Recipe loaded = Recipe.Load(path, overrides, RecipeAdapter.Check);
            if (checkpoint is null && parse.GetValue(resume))
            {
                checkpoint = Checkpoints.NewestValidIn(Path.Combine(loaded.Output, "checkpoints"), damaged => terminal.Error.WriteLine($"note: {damaged}"));
            }
            using TrainingRun run = TrainingRun.Prepare(loaded, checkpoint, replaces, planOnly: parse.GetValue(dryRun));
            TextWriter plan = parse.GetValue(json) ? terminal.Error : terminal.Out;
            run.PrintPlan(plan);
            plan.Flush();
            if (parse.GetValue(dryRun))
            {
                run.Place.ThrowIfAny();
                plan.WriteLine("dry run: no problem found, nothing was trained");
                if (parse.GetValue(json))
                    new JsonLineWriter(terminal.Out).Write(run.WritePlan);
                return ExitCode.Success;
            }
            TrainResult result = run.Run(terminal, terminal.Interrupted);
            if (parse.GetValue(json))
                WriteJson(terminal, run, result);
            else
                WriteText(terminal, run, result);
            if (result.Outcome == TrainOutcome.Interrupted)
                plan.WriteLine(HowToGoOn(result, path, overrides, checkpoint));
            return result.Outcome == TrainOutcome.Interrupted ? ExitCode.Interrupted : ExitCode.Success;
        });
        return command;
    }

    private static void WriteText(Terminal terminal, TrainingRun run, TrainResult result)
    {
        TextWriter output = terminal.Out;
        if (result.Outcome == TrainOutcome.Interrupted)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(result.Steps == 0 ? "stopped before the first step" : $"stopped after step {result.Steps}")}; {(result.Checkpoint is { } saved ? $"everything is in {saved}" : "there was nothing to save")}"));
            return;
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.Steps} steps, {(result.Tokens == 0 ? "all done before" : string.Create(CultureInfo.InvariantCulture, $"{result.Tokens / Math.Max(result.Seconds, 1e-9):N0} tokens/s"))}, peak memory {ProcessMemory.PeakBytes() / 1e6:N0} MB"));
        if (result.BestEvaluation is { } best)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"held-out loss {best:0.0000} after step {result.BestStep}, the best"));
        bool early = result.Outcome == TrainOutcome.StoppedEarly;
        if (early)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"stopped early: no evaluation since step {result.BestStep} was better"));
        string of = result.BestStep == result.Steps ? "" : early
            ? string.Create(CultureInfo.InvariantCulture, $" (as it was after step {(result.BestCheckpoint is null ? result.Steps : result.BestStep)})")
            : result.BestCheckpoint is { } kept ? string.Create(CultureInfo.InvariantCulture, $" (as it was after the last step; that of step {result.BestStep} is in {kept})") : "";
        output.WriteLine($"{(run.Adapter is null ? "model " : "adapter")}  {run.ResultFolder}{of}");
        output.WriteLine($"report   {Path.Combine(run.Recipe.Output, "report.html")}");
    }

    // what is typed to go on, as it was typed
    private static string HowToGoOn(TrainResult result, string recipe, IReadOnlyList<string> overrides, string? resumedFrom)
    {
        StringBuilder line = new($"go on with: lorikeet train {Quoted(recipe)}");
        foreach (string option in overrides)
            line.Append(CultureInfo.InvariantCulture, $" --set {Quoted(option)}");
        if (result.Checkpoint is not null)
            line.Append(" --resume");
        else if (resumedFrom is not null)
            line.Append(CultureInfo.InvariantCulture, $" --resume-from {Quoted(resumedFrom)}");
        return line.ToString();
    }

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "_-+./=:,@%".Contains(c, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static void WriteJson(Terminal terminal, TrainingRun run, TrainResult result) => new JsonLineWriter(terminal.Out).Write(json =>
    {
        json.WriteString("outcome", result.Outcome.ToString());
        json.WriteNumber("steps", result.Steps);
        // a run that had no step left to make has no loss
        if (double.IsFinite(result.Loss))
            json.WriteNumber("loss", result.Loss);
        if (result.BestEvaluation is { } best)
        {
            json.WriteNumber("best_eval_loss", best);
            json.WriteNumber("best_step", result.BestStep);
        }
        json.WriteNumber("tokens", result.Tokens);
        json.WriteNumber("train_s", result.Seconds);
        json.WriteNumber("tok_s", result.Tokens / Math.Max(result.Seconds, 1e-9));
        json.WriteNumber("peak_rss_mb", ProcessMemory.PeakBytes() / 1_000_000);
        json.WriteString("result", run.ResultFolder);
        json.WriteString("checkpoint", result.Checkpoint);
    });
}
