using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Lorikeet.Cli;
using Lorikeet.Cli.Tests;
using Lorikeet.Inference;
using Lorikeet.Inference.Tests;
using Lorikeet.Text;
using Lorikeet.Training;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet train</c> and <c>quickstart</c>, seen from the command line.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private readonly TinyModelFolder _model = new();

    [Fact]
    public void A_dry_run_prints_the_plan_and_does_nothing()
    {
        string recipe = Recipe();
        CommandRun run = CommandRun.Of("train", recipe, "--dry-run").Succeeded();
        run.Output.ShouldContain("trainable params: ");
        run.Output.ShouldContain("6 (4 an epoch), batch 2 x 1");
        run.Output.ShouldContain("memory     about");
        run.Output.ShouldContain("8 rows");
        run.Output.ShouldContain("nothing was trained");
        Directory.Exists(Output).ShouldBeFalse();
    }

    [Fact]
    public void A_dry_run_plans_also_where_an_earlier_run_is_in_the_way_and_says_so_among_its_problems()
    {
        string recipe = Recipe();
        CommandRun.Of("train", recipe, "--set", "training.steps=1").Succeeded();
        CommandRun plan = CommandRun.Of("train", recipe, "--dry-run", "--precision", "bf16");
        plan.Code.ShouldBe(2);
        plan.Output.ShouldContain("memory     about");
        plan.Output.ShouldNotContain("no problem found");
        plan.Error.ShouldContain("checkpoints of an earlier run (step-000001)");
        CommandRun both = CommandRun.Of("train", recipe, "--dry-run", "--memory", "1MB");
        both.Error.ShouldContain("checkpoints of an earlier run (step-000001)");
        both.Error.ShouldContain("training.memory: found 1MB, expected at least ");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_whole_model_is_saved_with_the_chat_template_that_it_was_trained_with(bool gguf)
    {
        const string template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
        string file = _model.File("chat.jinja"), model = gguf ? _model.File("model.gguf") : _model.Path, result = Path.Combine(Output, "model");
        File.WriteAllText(file, template);
        if (gguf)
            CommandRun.Of("quantize", _model.Path, "--to", "q8_0", "--out", model).Succeeded();
        CommandRun.Of("train", Recipe("adapter: full", model: $"{{path: '{model}', chat_template: '{file}'}}"), "--set", "training.steps=1").Succeeded();
        ChatTemplate.FromModelFolder(result)!.Templates["default"].Source.ShouldBe(template);
        using ModelPackage before = ModelPackage.Open(model), after = ModelPackage.Open(result);
        after.Tokenizer.Encode("Once upon a time, 漢字").Ids.ShouldBe(before.Tokenizer.Encode("Once upon a time, 漢字").Ids);
        after.EndTokens.ShouldBe(before.EndTokens);
    }

    [Fact]
    public void An_output_that_is_a_file_is_called_what_the_recipe_calls_it()
    {
        string file = _model.File("rows.txt");
        File.WriteAllText(file, "a");
        CommandRun.Of("train", Recipe(), "--set", $"output={file}").Error.ShouldStartWith($"error: output: {file}: cannot be written ({file} is a file, where a folder is needed)");
    }

    [Fact]
    public void An_adapter_in_place_of_a_model_is_called_one()
    {
        CommandRun.Of("train", Recipe(), "--set", "training.steps=1").Succeeded();
        string adapter = Path.Combine(Output, "adapter");
        foreach (string[] command in (string[][])
        [
            ["generate", adapter, "Once"], ["chat", adapter], ["quantize", adapter, "--to", "q8_0", "--out", _model.File("q.gguf")], ["convert", adapter, "--adapter", adapter, "--out", _model.File("c.gguf")],
            ["merge", adapter, "--adapter", adapter, "--out", _model.File("m")], ["train", Recipe(model: adapter), "--overwrite"],
        ])
        {
            CommandRun run = CommandRun.Of(command);
            run.Code.ShouldBe(2, command[0]);
            run.Error.ShouldBe($"error: {adapter}: is an adapter (adapter_config.json), and a model was expected; give the model that it was made for ({_model.Path}), and this folder as --adapter\n", command[0]);
        }
    }

    [Fact]
    public void A_dry_run_for_programs_is_one_object_with_the_plan()
    {
        CommandRun run = CommandRun.Of("train", Recipe(), "--dry-run", "--json").Succeeded();
        JsonElement plan = JsonDocument.Parse(run.Lines.ShouldHaveSingleItem()).RootElement;
        plan.GetProperty("steps").GetInt32().ShouldBe(6);
        plan.GetProperty("data")[0].GetProperty("rows").GetInt32().ShouldBe(8);
        plan.GetProperty("trainable_params").GetInt64().ShouldBeLessThan(plan.GetProperty("all_params").GetInt64());
        plan.GetProperty("memory_mb").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_plan_says_where_moments_are_and_when_weights_move()
    {
        string[] arguments = ["train", Recipe("adapter: {method: full}"), "--dry-run", "--set", "training.optimizer=paged_adamw_8bit", "--set", "training.max_grad_norm=0"];
        CommandRun.Of(arguments).Succeeded().Output.ShouldContain($"optimiser  paged_adamw_8bit (moments in eight bits, in a file in {Path.Combine(Output, "checkpoints")}); weights move in the backward pass");
        JsonElement plan = JsonDocument.Parse(CommandRun.Of([.. arguments, "--json"]).Succeeded().Lines.ShouldHaveSingleItem()).RootElement;
        (plan.GetProperty("optimizer").GetString(), plan.GetProperty("optimizer_in_backward").GetBoolean()).ShouldBe(("paged_adamw_8bit", true));
        // as transformers calls it
        CommandRun.Of("train", Recipe(), "--dry-run", "--set", "training.optimizer=adamw_bnb_8bit").Succeeded().Output.ShouldContain("optimiser  adamw_8bit (moments in eight bits)");
    }

    [Fact]
    public void One_place_to_go_on_from_is_enough()
    {
        CommandRun run = CommandRun.Of("train", Recipe(), "--resume", "--resume-from", "x");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("--resume-from");
    }

    [Fact]
    public void Samples_end_at_their_stop_strings()
    {
        using Cli.Training.TrainingRun run = Cli.Training.TrainingRun.Prepare(Training.Recipe.Load(Recipe(more: "samples: {prompts: ['Once upon', 'Tom'], stop: [' ']}")));
        run.Answers().ShouldAllBe(answer => !answer.Contains(' '));
    }

    [Fact]
    public void A_dry_run_takes_no_memory_for_what_would_be_trained()
    {
        string recipe = Recipe("adapter: {method: full}");
        CommandRun.Of("train", recipe, "--dry-run").Succeeded().Output.ShouldContain("trainable%: 100.0000");
        using Cli.Training.TrainingRun run = Cli.Training.TrainingRun.Prepare(Training.Recipe.Load(recipe));
        run.Model.Parameters.ShouldAllBe(parameter => !parameter.Trainable);
    }

    [Fact]
    public void A_budget_that_no_plan_keeps_to_is_refused_before_anything_is_done()
    {
        CommandRun run = CommandRun.Of("train", Recipe(), "--memory", "1MB");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("training.memory: found 1MB, expected at least ");
        Directory.Exists(Output).ShouldBeFalse();
        CommandRun.Of("train", Recipe(), "--memory", "4GB", "--dry-run").Succeeded().Output.ShouldContain("memory     about ");
        CommandRun.Of("train", Recipe(), "--memory", "lots").Error.ShouldContain("training.memory: found lots, expected a size");
    }

    [Fact]
    public void Problems_of_model_data_adapter_and_samples_are_told_together()
    {
        string rows = _model.File("broken.jsonl");
        File.WriteAllLines(rows, ["""{"prompt": "a", "completion": "b"}""", """{"prompt": "a"}""", "{"]);
        string recipe = Recipe("adapter: {method: lora, r: 2, target_modules: [nothing_like_it]}", data: rows, more: $"samples: {{prompts: ['short', '{string.Concat(Enumerable.Repeat("long ", 300))}']}}");
        CommandRun run = CommandRun.Of("train", recipe, "--dry-run");
        run.Code.ShouldBe(2);
        foreach (string part in (string[])["broken.jsonl:2", "broken.jsonl:3", "nothing of the model matches", "samples.prompts.1: found"])
            run.Error.ShouldContain(part);
        run.Error.ShouldNotContain("samples.prompts.0");
    }

    [Fact]
    public void Data_are_looked_at_even_where_the_weights_are_broken()
    {
        File.WriteAllText(_model.File("model.safetensors"), "no weights");
        string rows = _model.File("broken.jsonl");
        File.WriteAllText(rows, "{\n");
        CommandRun run = CommandRun.Of("train", Recipe(data: rows), "--dry-run");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("model.safetensors");
        run.Error.ShouldContain("broken.jsonl:1");
    }

    [Fact]
    public void A_chat_template_that_is_not_there_is_bad_input()
    {
        CommandRun run = CommandRun.Of("train", Recipe(), "--set", $"model.chat_template={_model.File("missing.jinja")}");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("missing.jinja: cannot be read");
    }

    [Fact]
    public void A_second_run_replaces_the_first_only_when_it_is_told_to()
    {
        string recipe = Recipe();
        CommandRun.Of("train", recipe).Succeeded();
        CommandRun again = CommandRun.Of("train", recipe);
        again.Code.ShouldBe(2);
        again.Error.ShouldContain("checkpoints of an earlier run (step-000006)");
        CommandRun.Of("train", recipe, "--overwrite", "--resume").Code.ShouldBe(2);
        CommandRun.Of("train", recipe, "--overwrite", "--set", "training.steps=3").Succeeded();
        Path.GetFileName(Checkpoints.NewestIn(Path.Combine(Output, "checkpoints"))).ShouldBe("step-000003");
        // a run that has no step left says so and harms nothing
        JsonElement finished = JsonDocument.Parse(CommandRun.Of("train", recipe, "--resume", "--set", "training.steps=3", "--json").Succeeded().Output).RootElement;
        (finished.GetProperty("outcome").GetString(), finished.GetProperty("steps").GetInt32()).ShouldBe(("Finished", 3));
    }

    [Fact]
    public void Samples_are_asked_as_rows_are_and_by_the_model_as_it_was()
    {
        string prompts = "samples: {prompts: ['Once upon a time'], max_new_tokens: 8}";
        string recipe = Recipe(more: prompts);
        using Cli.Training.TrainingRun run = Cli.Training.TrainingRun.Prepare(Training.Recipe.Load(recipe));
        string asked = CommandRun.Of("generate", _model.Path, "Once upon a time", "--max-tokens", "8").Succeeded().Output;
        run.Answers().ShouldHaveSingleItem().ShouldBe(asked[..^1], "with the begin token");
        CommandRun.Of("train", recipe).Succeeded();
        string before = Sample();
        CommandRun.Of("train", recipe, "--resume", "--set", "training.steps=8").Succeeded();
        Sample().ShouldBe(before, "not by what the checkpoint holds");

        // the report's answer before training
        string Sample() => File.ReadAllText(Path.Combine(Output, "report.html")).Split("<h3>Before")[1].Split("</pre>")[0];
    }

    [Fact]
    public void A_tokenizer_of_the_recipe_is_used_for_rows_and_samples_alike()
    {
        // random weights have no tokenizer of their own
        string recipe = Recipe(model: $"{{path: 'random:tiny', tokenizer: '{_model.Path}'}}", more: "samples: {prompts: ['Once upon'], max_new_tokens: 4}");
        CommandRun.Of("train", recipe).Succeeded();
        File.Exists(Path.Combine(Output, "adapter", "adapter_model.safetensors")).ShouldBeTrue();
    }

    [Fact]
    public void Templates_are_told_the_day_of_the_recipe_or_that_on_which_the_run_began()
    {
        string template = _model.File("dated.jinja");
        File.WriteAllText(template, "{{ bos_token }}{{ strftime_now('%Y-%m-%d') }} {% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}");
        string rows = _model.File("chat.jsonl");
        File.WriteAllLines(rows, Enumerable.Range(0, 8).Select(i => $$"""{"messages": [{"role": "user", "content": "{{i}}"}, {"role": "assistant", "content": "yes {{i}}"}]}"""));
        string recipe = Recipe(data: rows, model: $"{{path: '{_model.Path}', chat_template: '{template}'}}");
        using (Cli.Training.TrainingRun dated = Cli.Training.TrainingRun.Prepare(Training.Recipe.Load(recipe, "data.date=2023-05-06")))
            Text(dated).ShouldStartWith("2023-05-06 user: ");
        CommandRun.Of("train", recipe, "--set", "data.date=2023-05-06").Succeeded();
        File.ReadAllText(Path.Combine(Output, "recipe.yaml")).ShouldContain("date: 2023-05-06");
        using (Cli.Training.TrainingRun resumed = Cli.Training.TrainingRun.Prepare(Training.Recipe.Load(recipe), Checkpoints.NewestIn(Path.Combine(Output, "checkpoints"))))
            Text(resumed).ShouldStartWith("2023-05-06 user: ");
        using (Cli.Training.TrainingRun today = Cli.Training.TrainingRun.Prepare(Training.Recipe.Load(recipe), overwrite: true))
            Text(today).ShouldNotContain("1970");

        static string Text(Cli.Training.TrainingRun run) => run.Package.Tokenizer.Decode(run.Data.Train[0][0].Ids, skipSpecial: true).TrimStart();
    }

    [Fact]
    public void What_is_typed_to_go_on_repeats_what_was_typed()
    {
        string recipe = Recipe();
        string[] typed = ["train", recipe, "--set", "training.steps=7", "--set", $"output={Output} two"];
        CommandRun stopped = Interrupted(typed);
        stopped.Code.ShouldBe(130);
        stopped.Output.ShouldContain("stopped before the first step; there was nothing to save");
        stopped.Output.ShouldContain($"go on with: lorikeet train {recipe} --set training.steps=7 --set 'output={Output} two'\n");
        CommandRun.Of([.. typed, "--set", "training.steps=2"]).Succeeded();
        Interrupted([.. typed, "--resume"]).Output.ShouldContain($"step-000002\ngo on with: lorikeet train {recipe} --set training.steps=7 --set 'output={Output} two' --resume\n");
        string elsewhere = Path.Combine($"{Output} two", "checkpoints", "step-000002");
        Interrupted(["train", recipe, "--resume-from", elsewhere]).Output.ShouldContain($"--resume-from '{elsewhere}'\n");
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_the_step_saves_and_says_how_to_go_on(string signal)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("signals are sent by a program of Unix");
        string recipe = Recipe();
        using Process process = StartHearing("train", recipe, "--set", "training.steps=100000");
        // the first step has been made once its line is there
        while (process.StandardError.ReadLine() is { } line && !line.StartsWith("step 1/", StringComparison.Ordinal))
            line.ShouldNotStartWith("error");
        using (Process kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(130);
        output.ShouldContain("go on with: lorikeet train");
        string newest = Checkpoints.NewestIn(Path.Combine(Output, "checkpoints")).ShouldNotBeNull();
        output.ShouldContain($"everything is in {newest}");
        int step = int.Parse(Path.GetFileName(newest)["step-".Length..], System.Globalization.CultureInfo.InvariantCulture);
        CommandRun.Of("train", recipe, "--set", $"training.steps={step + 1}", "--resume").Succeeded();
    }

    [Fact]
    public void A_full_disk_leaves_the_checkpoints_that_are_there()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("the size of files is limited by a shell of Unix");
        string recipe = Recipe();
        CommandRun.Of("train", recipe, "--set", "training.steps=2").Succeeded();
        // files end after 32 KiB: the adapter's weights do not fit any more
        ProcessStartInfo start = new("bash") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "bash", "dotnet", Program, "train", recipe, "--resume"])
            start.ArgumentList.Add(argument);
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0"; // its memory would be a file
        using Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(1, error);
        error.ShouldContain("cannot be written");
        error.ShouldNotContain("   at ");
        error.ShouldNotContain(".unfinished");
        Directory.GetFileSystemEntries(Path.Combine(Output, "checkpoints")).Select(Path.GetFileName).ShouldBe(["step-000002"]);
        CommandRun.Of("train", recipe, "--resume").Succeeded();
    }

    [Fact]
    public void Quickstart_makes_the_whole_journey_as_often_as_one_likes_but_over_nobody_elses_run()
    {
        string output = _model.File("first run");
        CommandRun run = CommandRun.Of("quickstart", "--output", output, "--epochs", "0.12").Succeeded();
        foreach (string part in (string[])["trainable params: ", "held-out loss 4.451 -> ", "before ", "after ", "lorikeet pull", "lorikeet train", "lorikeet chat"])
            run.Output.ShouldContain(part);
        run.Output.Split("(equal)").Length.ShouldBe(3);
        run.Output.ShouldNotContain("NOT equal");
        File.ReadAllText(Path.Combine(output, "report.html")).ShouldContain("<svg");
        File.Exists(Path.Combine(output, "adapter", "adapter_config.json")).ShouldBeTrue();
        CommandRun.Of("quickstart", "--output", output, "--epochs", "0.04").Succeeded();
        CommandRun.Of("train", Recipe()).Succeeded();
        CommandRun.Of("quickstart", "--output", Output, "--epochs", "0.04").Code.ShouldBe(2);
    }

    public void Dispose() => _model.Dispose();

    private static string Program => Path.Combine(AppContext.BaseDirectory, "lorikeet.dll");

    private string Output => _model.File("run");

    private string Recipe(string adapter = "adapter: {method: lora, r: 8, target_modules: all-linear}", string? data = null, string? model = null, string more = "samples: {count: 0}")
    {
        string rows = _model.File("rows.jsonl"), path = _model.File("recipe.yaml");
        File.WriteAllLines(rows, Enumerable.Range(0, 8).Select(i => $$"""{"prompt": "{{i}} and", "completion": " {{i + 1}} follow each other."}"""));
        File.WriteAllText(path, $"""
            model: {model ?? $"'{_model.Path}'"}
            {adapter}
            data: '{data ?? rows}'
            training: {"{steps: 6, batch_size: 2, learning_rate: 1e-2}"}
            {more}
            output: '{Output}'
            """);
        return path;
    }

    private static CommandRun Interrupted(string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int code = CommandLine.Run(arguments, new Terminal { In = new StringReader(""), Out = output, Error = error, Interrupted = new CancellationToken(canceled: true) });
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    // hears signals whatever the tests were started by: jobs in the background of a shell, and all that they start, begin with SIGINT ignored
    private static Process StartHearing(params string[] arguments)
    {
        const int interrupt = 2, byDefault = 0;
        ProcessStartInfo start = new("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])[Program, .. arguments])
            start.ArgumentList.Add(argument);
        nint before = Handle(interrupt, byDefault);
        Process process = Process.Start(start)!;
        Handle(interrupt, before);
        return process;
    }

    [DllImport("libc", EntryPoint = "signal")]
    private static extern nint Handle(int signal, nint handler);
}
