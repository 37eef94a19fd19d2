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
    public void A_resumed_run_makes_the_same_bits(string method, string options)
    {
        string whole = Recipe("whole", method, options, 8, "save_every: 4\n  save_total_limit: 4\n  neftune_noise_alpha: 5");
        Run("train", whole).Code.ShouldBe(0);
        string again = Recipe("again", method, options, 8, "save_every: 4\n  save_total_limit: 4\n  neftune_noise_alpha: 5");
        Run("train", again, "--resume-from", Path.Combine(_folder.FullName, "whole", "checkpoints", "step-000004")).Code.ShouldBe(0);
        string result = method == "full" ? Path.Combine("model", "model.safetensors") : Path.Combine("adapter", "adapter_model.safetensors");
        File.ReadAllBytes(Path.Combine(_folder.FullName, "again", result)).SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.FullName, "whole", result)))
            .ShouldBeTrue("the trained weights");
        string state = Path.Combine("checkpoints", "step-000008", "optimizer.safetensors");
        File.ReadAllBytes(Path.Combine(_folder.FullName, "again", state)).SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.FullName, "whole", state)))
            .ShouldBeTrue("the optimiser");
    }

    [Fact]
    public void A_process_killed_at_any_moment_leaves_a_checkpoint_that_loads()
    {
        const int kills = 50;
        string recipe = Recipe("killed", "lora", "", 100_000, "save_every: 1\n  save_total_limit: 2");
        string checkpoints = Path.Combine(_folder.FullName, "killed", "checkpoints");
        Random random = new(11);
        int last = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            using Process process = Start("train", recipe, kill == 0 ? "--json" : "--resume");
            // every line says that a checkpoint was written; the kill falls somewhere into the steps that follow
            int lines = 1 + random.Next(4), spin = random.Next(20_000);
            while (lines > 0 && process.StandardError.ReadLine() is { } line)
            {
                line.ShouldNotStartWith("error");
                if (line.StartsWith("saved", StringComparison.Ordinal))
                    lines--;
            }
            System.Threading.Thread.SpinWait(spin);
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            string newest = Checkpoints.NewestIn(checkpoints).ShouldNotBeNull($"after kill {kill}");
            int step = int.Parse(Path.GetFileName(newest)["step-".Length..], System.Globalization.CultureInfo.InvariantCulture);
            step.ShouldBeGreaterThan(last, "each life adds at least one step to the last one");
            last = step;
        }
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
