using System.Diagnostics;
using Lorikeet.Training;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>Runs that stop, are stopped, or are killed.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-");

    [Theory]
    [InlineData("lora", "lora_dropout: 0.1")]
    [InlineData("full", "")]
    [InlineData("full", "", "optimizer: paged_adamw_8bit\n  max_grad_norm: 0")]
    public void A_resumed_run_makes_the_same_bits(string method, string options, string optimizer = "optimizer: adamw")
    {
        string more = $"{optimizer}\n  save_every: 4\n  save_total_limit: 4\n  neftune_noise_alpha: 5";
        string whole = Recipe("whole", method, options, 8, more);
        Run("train", whole).Code.ShouldBe(0);
        string again = Recipe("again", method, options, 8, more);
        Run("train", again, "--resume-from", Path.Combine(_folder.FullName, "whole", "checkpoints", "step-000004")).Code.ShouldBe(0);
        string result = method == "full" ? Path.Combine("model", "model.safetensors") : Path.Combine("adapter", "adapter_model.safetensors");
        File.ReadAllBytes(Path.Combine(_folder.FullName, "again", result)).SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.FullName, "whole", result)))
            .ShouldBeTrue("the trained weights");
        string state = Path.Combine("checkpoints", "step-000008", "optimizer.safetensors");
        File.ReadAllBytes(Path.Combine(_folder.FullName, "again", state)).SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.FullName, "whole", state)))
            .ShouldBeTrue("the optimiser");
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("bf16")]
    public void What_is_chosen_for_a_processor_stays_chosen_when_a_run_goes_on(string chosen)
    {
        // one of the two is what this processor would not choose
        Run("train", Recipe("whole", "lora", "", 4, $"precision: {chosen}\n  activations: {chosen}\n  save_every: 2\n  save_total_limit: 4")).Code.ShouldBe(0);
        string state = Path.Combine(_folder.FullName, "whole", "checkpoints", "step-000002"), file = Path.Combine("adapter", "adapter_model.safetensors");
        File.ReadAllText(Path.Combine(state, "trainer_state.json")).ShouldContain($"\"precision\": \"{chosen}\"");
        Run("train", Recipe("again", "lora", "", 4, "precision: auto\n  activations: auto"), "--resume-from", state).Code.ShouldBe(0);
        File.ReadAllBytes(Path.Combine(_folder.FullName, "again", file)).SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.FullName, "whole", file))).ShouldBeTrue();
    }

    [Theory]
    [InlineData(50, "adamw")]
    [InlineData(10, "paged_adamw_8bit")]
    public void A_process_killed_at_any_moment_leaves_a_checkpoint_that_loads_and_loses_nothing(int kills, string optimizer)
    {
        string every = $"optimizer: {optimizer}\n  lr_scheduler: constant\n  save_every: 1\n  save_total_limit: 2";
        string recipe = Recipe("killed", "lora", "lora_dropout: 0.1", 1_000_000, every);
        string checkpoints = Path.Combine(_folder.FullName, "killed", "checkpoints");
        Random random = new(11);
        int last = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            using Process process = Start(last == 0 ? ["train", recipe, "--overwrite"] : ["train", recipe, "--resume"]);
            // from its first word, or its first checkpoint, on: a step and its checkpoint take some milliseconds, the kill falls anywhere into several
            string awaited = random.Next(4) == 0 ? "" : "saved";
            string line;
            do
            {
                line = process.StandardError.ReadLine().ShouldNotBeNull();
                line.ShouldNotStartWith("error");
            }
            while (!line.StartsWith(awaited, StringComparison.Ordinal));
            process.WaitForExit(random.Next(60)).ShouldBeFalse("it trains for ever");
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            int step = Checkpoints.NewestIn(checkpoints) is { } newest ? StepOf(newest) : 0;
            step.ShouldBeGreaterThanOrEqualTo(awaited.Length > 0 ? last + 1 : last, $"after kill {kill}: what a life said that it saved is there");
            last = step;
        }

        string steps = (last + 2).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Run("train", recipe, "--resume", "--set", $"training.steps={steps}").Code.ShouldBe(0);
        Run("train", Recipe("unharmed", "lora", "lora_dropout: 0.1", last + 2, $"optimizer: {optimizer}\n  lr_scheduler: constant")).Code.ShouldBe(0);
        string state = Path.Combine("checkpoints", $"step-{last + 2:000000}");
        foreach (string file in (string[])[Path.Combine("adapter", "adapter_model.safetensors"), Path.Combine(state, "optimizer.safetensors")])
            File.ReadAllBytes(Path.Combine(_folder.FullName, "killed", file)).SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.FullName, "unharmed", file))).ShouldBeTrue(file);
        Directory.GetFileSystemEntries(checkpoints).Length.ShouldBe(2, "nothing unfinished is left");
        string[] metrics = File.ReadAllLines(Path.Combine(_folder.FullName, "killed", "metrics.jsonl"));
        metrics.Length.ShouldBe(last + 2, "every step once");
    }

    [Theory]
    [InlineData("adapter_model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("trainer_state.json")]
    public void A_damaged_checkpoint_is_passed_over_for_the_one_before(string file)
    {
        string recipe = Recipe("damaged", "lora", "lora_dropout: 0.1", 3, "lr_scheduler: constant\n  save_every: 1\n  save_total_limit: 3");
        Run("train", recipe).Code.ShouldBe(0);
        string checkpoints = Path.Combine(_folder.FullName, "damaged", "checkpoints"), adapter = Path.Combine(_folder.FullName, "damaged", "adapter", "adapter_model.safetensors");
        byte[] whole = File.ReadAllBytes(adapter);
        string broken = Path.Combine(checkpoints, "step-000003", file);
        File.WriteAllBytes(broken, File.ReadAllBytes(broken)[..50]);
        (int code, string error) = Run("train", recipe, "--resume");
        code.ShouldBe(0);
        error.ShouldContain("step-000003 is damaged");
        error.ShouldContain("going on from " + Path.Combine(checkpoints, "step-000002"));
        File.ReadAllBytes(adapter).SequenceEqual(whole).ShouldBeTrue();
        foreach (string checkpoint in Directory.GetDirectories(checkpoints))
            File.WriteAllText(Path.Combine(checkpoint, file), "x");
        (code, error) = Run("train", recipe, "--resume");
        code.ShouldBe(2);
        error.ShouldContain("step-000001");
        error.ShouldContain("step-000003");
    }

    [Fact]
    public void A_recipe_that_would_make_another_run_is_refused_in_a_few_lines()
    {
        string recipe = Recipe("run", "lora", "target_modules: all-linear", 4, "save_every: 2\n  save_total_limit: 4");
        Run("train", recipe).Code.ShouldBe(0);
        string last = Path.Combine(_folder.FullName, "run", "checkpoints", "step-000004");
        File.ReadAllText(Path.Combine(last, "recipe.yaml")).ShouldBe(File.ReadAllText(Path.Combine(_folder.FullName, "run", "recipe.yaml")));

        foreach ((string set, string told) in (ReadOnlySpan<(string, string)>)
        [
            ("model.quantize=q8_0", "model.quantize: not given in the checkpoint, q8_0 now"),
            ("adapter.r=4", "adapter.r: 2 in the checkpoint, 4 now"),
            ("training.optimizer=adamw_8bit", "training.optimizer: adamw in the checkpoint, adamw_8bit now"),
            ("training.learning_rate=1e-3", "training.learning_rate: 0.01 in the checkpoint, 0.001 now"),
            ("training.lr_scheduler=cosine", "training.lr_scheduler.kind: linear in the checkpoint, cosine now"),
            ("training.seed=1", "training.seed: 42 in the checkpoint, 1 now"),
            ("training.precision=bf16", "training.precision: f32 in the checkpoint, bf16 now"),
            ("data.train.limit=20", "data.train.0.limit: not given in the checkpoint, 20 now"),
            ("training.steps=3", "training.steps: asks for 3 steps in all, the checkpoint has done 4; ask for more, or go on from an older checkpoint (--resume-from)"),
        ])
        {
            (int code, string error) = Run("train", recipe, "--resume", "--set", set);
            code.ShouldBe(2, set);
            error.ShouldContain($"error: {last}: cannot go on with this recipe");
            error.ShouldContain($"  - {told}\n");
            error.Split('\n').Length.ShouldBeLessThan(7, error);
        }
    }

    [Fact]
    public void What_decides_no_number_may_change_when_a_run_goes_on_and_a_longer_one_says_what_that_means()
    {
        string recipe = Recipe("run", "lora", "", 2, "");
        Run("train", recipe).Code.ShouldBe(0);
        (int code, string error) = Run(
            "train", recipe, "--resume", "--json", "--set", "training.steps=4", "--set", "training.save_every=1", "--set", "training.optimizer=paged_adamw", "--set", "samples.count=1",
            "--set", "training.max_grad_norm=1.0", "--set", "data.max_length=256", "--set", $"model.path={Path.GetRelativePath(Environment.CurrentDirectory, Stories)}");
        code.ShouldBe(0, error);
        error.ShouldContain("note       training.steps: 2 in the checkpoint, 4 now: from here on the learning rate follows the curve of the new length");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Other_weights_or_rows_under_the_same_names_are_noticed(bool last)
    {
        string model = Path.Combine(_folder.FullName, "model"), recipe = Recipe("run", "lora", "", 2, "");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.GetFiles(Stories))
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        File.WriteAllText(recipe, File.ReadAllText(recipe).Replace(Stories, model, StringComparison.Ordinal));
        Run("train", recipe).Code.ShouldBe(0);
        byte[] weights = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        BitConverter.TryWriteBytes(last ? weights.AsSpan(weights.Length - sizeof(float)) : weights.AsSpan(8 + BitConverter.ToInt32(weights)), 0.5f);
        File.WriteAllBytes(Path.Combine(model, "model.safetensors"), weights);
        File.AppendAllText(Path.Combine(_folder.FullName, "rows.jsonl"), """{"prompt": "one", "completion": "more"}""");
        (int code, string error) = Run("train", recipe, "--resume", "--set", "training.steps=4");
        code.ShouldBe(2);
        error.ShouldContain("data: the rows, or the tokens that they become, are others");
        error.ShouldContain($"model: the weights of {model} are others than the checkpoint was made with");
    }

    [Fact]
    public void A_run_whose_steps_are_all_done_makes_the_evaluation_that_it_ends_with_and_makes_it_once()
    {
        string held = Path.Combine(_folder.FullName, "held.jsonl");
        File.WriteAllText(held, """{"prompt": "7 and", "completion": " 8 follow each other."}""" + "\n");
        string recipe = Recipe("run", "lora", "", 4, "lr_scheduler: constant\n  save_every: 2\n  save_total_limit: 4");
        string[] evaluated = ["train", recipe, "--set", $"data.eval={held}"];
        Run([.. evaluated, "--set", "training.steps=2", "--set", $"output={Path.Combine(_folder.FullName, "short")}"]).Code.ShouldBe(0);
        Run(evaluated).Code.ShouldBe(0);
        string run = Path.Combine(_folder.FullName, "run"), half = Path.Combine(run, "checkpoints", "step-000002");
        for (int again = 0; again < 2; again++)
        {
            (int code, string error) = Run([.. evaluated, "--set", "training.steps=2", .. again == 0 ? new[] { "--resume-from", half } : ["--resume"]]);
            code.ShouldBe(0, error);
            Evaluations("run").ShouldBe(Evaluations("short"));
            Evaluations("run").Count.ShouldBe(2);
            File.ReadAllText(Path.Combine(half, "trainer_state.json")).ShouldContain("\"best_step\": 2");
            File.ReadAllText(Path.Combine(run, "report.html")).ShouldNotContain("tokens per second");
        }

        IReadOnlyList<(int Step, double Loss, bool Best)> Evaluations(string name) =>
            [.. MetricsLog.Read(Path.Combine(_folder.FullName, name, "metrics.jsonl")).Evaluations.Select(evaluation => (evaluation.Step, evaluation.Loss, evaluation.Best))];
    }

    [Fact]
    public void A_checkpoint_without_a_recipe_goes_on_and_says_that_nothing_was_compared()
    {
        string recipe = Recipe("run", "lora", "", 2, "");
        Run("train", recipe).Code.ShouldBe(0);
        File.Delete(Path.Combine(_folder.FullName, "run", "checkpoints", "step-000002", "recipe.yaml"));
        (int code, string error) = Run("train", recipe, "--resume", "--json", "--set", "training.steps=4", "--set", "training.learning_rate=1e-3");
        code.ShouldBe(0, error);
        error.ShouldContain("step-000002: keeps no recipe: settings could not be compared");
    }

    [Fact]
    public void Other_rows_are_told_whatever_else_of_the_data_is_named_otherwise()
    {
        string recipe = Recipe("run", "lora", "", 2, ""), rows = Path.Combine(_folder.FullName, "rows.jsonl"), held = Path.Combine(_folder.FullName, "held.jsonl");
        File.Copy(rows, held);
        File.Copy(rows, held + "2.jsonl");
        Run("train", recipe, "--set", $"data.eval={held}").Code.ShouldBe(0);
        File.AppendAllText(rows, """{"prompt": "one", "completion": "more"}""");
        (int code, string error) = Run("train", recipe, "--resume", "--set", "training.steps=4", "--set", $"data.eval={held}2.jsonl", "--set", "data.max_length=100");
        code.ShouldBe(2);
        error.ShouldContain("data: the rows, or the tokens that they become, are others");
        error.ShouldContain("data.max_length");
        error.ShouldNotContain("data.eval");
    }

    [Fact]
    public void The_same_setting_in_other_words_is_the_same()
    {
        string recipe = Recipe("run", "lora", "lora_alpha: 16", 2, "");
        Run("train", recipe).Code.ShouldBe(0);
        (int code, string error) = Run("train", recipe, "--resume", "--set", "training.steps=3", "--set", "adapter.lora_alpha=16.0", "--set", "adapter.lora_dropout=0", "--set", "adapter.bias=none",
            "--set", "training.warmup_steps=0", "--set", "training.learning_rate=0.0100");
        code.ShouldBe(0, error);
        (code, error) = Run("train", recipe, "--resume", "--set", "training.steps=4", "--set", "adapter.lora_dropout=0.1");
        code.ShouldBe(2);
        error.ShouldContain("adapter.lora_dropout: 0 in the checkpoint, 0.1 now");
    }

    [Theory]
    [InlineData("")]
    [InlineData("settings")]
    public void A_recipe_of_a_checkpoint_that_holds_no_settings_is_damaged(string text)
    {
        string recipe = Recipe("run", "lora", "", 2, "save_every: 1"), folder = Path.Combine(_folder.FullName, "run", "checkpoints", "step-000002");
        Run("train", recipe).Code.ShouldBe(0);
        File.WriteAllText(Path.Combine(folder, "recipe.yaml"), text);
        (int code, string error) = Run("train", recipe, "--resume-from", folder, "--set", "training.steps=4");
        code.ShouldBe(2);
        error.ShouldContain($"{Path.Combine(folder, "recipe.yaml")}: damaged");
        (code, error) = Run("train", recipe, "--resume");
        code.ShouldBe(0, error);
        error.ShouldContain("step-000002 is damaged");
    }

    [Fact]
    public void A_checkpoint_without_a_recipe_that_does_not_fit_names_a_few_tensors_and_counts_the_others()
    {
        string recipe = Recipe("run", "lora", "target_modules: all-linear", 2, "");
        Run("train", recipe).Code.ShouldBe(0);
        File.Delete(Path.Combine(_folder.FullName, "run", "checkpoints", "step-000002", "recipe.yaml"));
        (int code, string error) = Run("train", recipe, "--resume", "--set", "adapter.r=4", "--set", "training.steps=4");
        code.ShouldBe(2);
        error.ShouldContain(" more");
        error.Split('\n').Length.ShouldBeLessThan(12, error);
    }

    [Fact]
    public void An_update_that_is_not_finite_is_not_saved()
    {
        string recipe = Recipe("overflow", "lora", "lora_alpha: 1e30", 4, "max_grad_norm: 0\n  lr_scheduler: constant");
        (int code, string error) = Run("train", recipe, "--set", "training.learning_rate=1000");
        code.ShouldBe(1);
        error.ShouldContain("is not finite");
        Directory.Exists(Path.Combine(_folder.FullName, "overflow", "adapter")).ShouldBeFalse();
    }

    [Fact]
    public void Not_a_number_stops_the_run_and_names_the_step_and_the_tensor()
    {
        string model = Path.Combine(_folder.FullName, "broken");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.GetFiles(Stories))
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        byte[] weights = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        BitConverter.TryWriteBytes(weights.AsSpan(weights.Length / 2 & ~3), float.NaN);
        File.WriteAllBytes(Path.Combine(model, "model.safetensors"), weights);
        string recipe = Recipe("nan", "lora", "", 50, "save_every: 1");
        File.WriteAllText(recipe, File.ReadAllText(recipe).Replace(Stories, model, StringComparison.Ordinal));
        (int code, string error) = Run("train", recipe);
        code.ShouldBe(1);
        error.ShouldContain("step 1: the residual stream after block");
        error.ShouldContain("is not finite");
        error.ShouldNotContain("   at ");
    }

    private static int StepOf(string checkpoint) => int.Parse(Path.GetFileName(checkpoint)["step-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static string Stories => Path.Combine(AppContext.BaseDirectory, "Embedded", "stories260K");

    public void Dispose() => _folder.Delete(recursive: true);

    private string Recipe(string name, string method, string options, int steps, string training)
    {
        string path = Path.Combine(_folder.FullName, name + ".yaml"), data = Path.Combine(_folder.FullName, "rows.jsonl");
        if (!File.Exists(data))
            File.WriteAllLines(data, Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "{{i}} and", "completion": " {{i + 1}} follow each other."}"""));
        File.WriteAllText(path, $"""
            model: '{Stories}'
            adapter:
              method: {method}
              {(method == "full" ? "" : "r: 2")}
              {options}
            data:
              train: '{data}'
            training:
              steps: {steps}
              batch_size: 2
              gradient_accumulation_steps: 2
              learning_rate: 1e-2
              {training}
            samples:
              count: 0
            output: '{Path.Combine(_folder.FullName, name)}'
            """);
        return path;
    }

    private static (int Code, string Error) Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }

    private static Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "lorikeet.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }
}
