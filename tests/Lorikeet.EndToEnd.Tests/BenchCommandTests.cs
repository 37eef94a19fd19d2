using System.Globalization;
using System.Text.Json;
using Lorikeet.Cli;
using Lorikeet.Cli.Training;
using Lorikeet.Cli.Tests;
using Lorikeet.Kernels;

namespace Lorikeet.EndToEnd.Tests;

/// <summary>What <c>lorikeet bench</c> prints. How fast it is, no test says: others may be using the machine.</summary>
// managed memory is counted for the whole process: no other test may run beside these
[CollectionDefinition(nameof(BenchCommandTests), DisableParallelization = true)]
[Collection(nameof(BenchCommandTests))]
public class BenchCommandTests
{
    [Fact]
    public void Gemm_prints_one_line_for_each_number_of_threads()
    {
        JsonElement[] lines = Lines("gemm", "--m", "64", "--n", "48", "--k", "32", "--threads", "1", "2");
        lines.Length.ShouldBe(2);
        lines.Select(line => line.GetProperty("threads").GetInt32()).ShouldBe([1, 2]);
        foreach (JsonElement line in lines)
            ShouldHold(line, "m", "n", "k", "precision", "gflops", "share_of_peak");
        lines[0].GetProperty("speedup").GetDouble().ShouldBe(1);
        double[] rates = [.. lines.Select(line => line.GetProperty("gflops").GetDouble())];
        lines[1].GetProperty("speedup").GetDouble().ShouldBe(rates[1] / rates[0], 1e-3 * rates[1] / rates[0]);
        double[] best = [.. lines.Select(line => line.GetProperty("best_gflops").GetDouble())];
        best[0].ShouldBeGreaterThanOrEqualTo(rates[0]);
        best[1].ShouldBeGreaterThanOrEqualTo(rates[1]);
        lines[1].GetProperty("best_speedup").GetDouble().ShouldBe(best[1] / best[0], 1e-3 * best[1] / best[0]);
        ShouldHold(lines[1], "best_share_of_peak");
    }

    [Theory]
    [InlineData("lora")]
    [InlineData("full")]
    [InlineData("full", "--optimizer", "adamw_8bit", "--optimizer-in-backward")]
    [InlineData("full", "--optimizer", "paged_adamw_8bit")]
    public void Train_counts_useful_operations_and_managed_memory(string method, params string[] options)
    {
        JsonElement line = Lines(["train", "--model", "random:tiny", "--method", method, "--batch", "2", "--seq", "16", "--steps", "5", .. options]).ShouldHaveSingleItem();
        ShouldHold(line, "tok_s", "step_s", "start_s", "peak_rss_mb", "useful_gflops", "share_of_peak", "share_of_gemm");
        line.GetProperty("allocated_bytes").GetInt64().ShouldBe(0);
    }

    [Theory]
    [InlineData("--method", "lora")]
    [InlineData("--method", "full")]
    [InlineData("--activations", "bf16")]
    [InlineData("--checkpointing")]
    [InlineData("--checkpointing", "--activations", "bf16")]
    [InlineData("--method", "full", "--checkpointing")]
    [InlineData("--weights", "bf16", "--precision", "bf16")]
    public void What_activations_take_is_known_before_they_are_there(params string[] options)
    {
        JsonElement line = Lines(["train", "--model", "random:tiny", "--batch", "3", "--seq", "96", "--steps", "2", .. options]).ShouldHaveSingleItem();
        double measured = line.GetProperty("activation_mb").GetDouble();
        line.GetProperty("estimated_activation_mb").GetDouble().ShouldBe(measured, 0.1 * measured);
    }

    [Fact]
    public void A_budget_divides_batches_and_computes_blocks_again_and_one_that_is_too_small_is_refused_with_the_smallest_possible()
    {
        string[] bench = ["train", "--model", "random:tiny", "--batch", "4", "--seq", "256", "--steps", "2"];
        JsonElement free = Lines(bench).ShouldHaveSingleItem();
        free.GetProperty("passes").GetString().ShouldBe("whole batches");
        CommandRun refused = CommandRun.Of(["bench", .. bench, "--memory", "1MB"]);
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("found 1MB, expected at least ");
        string smallest = refused.Error[(refused.Error.IndexOf("at least ", StringComparison.Ordinal) + 9)..].Split(':')[0];
        JsonElement tight = Lines([.. bench, "--memory", smallest]).ShouldHaveSingleItem();
        tight.GetProperty("passes").GetString()!.ShouldContain("1 of 4 rows");
        tight.GetProperty("activation_mb").GetDouble().ShouldBeLessThan(free.GetProperty("activation_mb").GetDouble() / 2);
        tight.GetProperty("first_loss").GetDouble().ShouldBe(free.GetProperty("first_loss").GetDouble(), 1e-3);
        CommandRun.Of(["bench", .. bench, "--memory", "much"]).Error.ShouldContain("found much, expected a size");
    }

    [Fact]
    public void Prefill_and_decode_print_rates()
    {
        ShouldHold(Lines("prefill", "--model", "random:tiny", "--tokens", "32").ShouldHaveSingleItem(), "tok_s", "allocated_bytes");
        ShouldHold(Lines("decode", "--model", "random:tiny:bf16", "--streams", "2", "--tokens", "8").ShouldHaveSingleItem(), "tok_s", "share_of_bandwidth", "allocated_bytes");
    }

    [Theory]
    [InlineData("f32", "f32")]
    [InlineData("nf4-dq", "f32")]
    [InlineData("q4_0", "int8")]
    [InlineData("q3_k", "f32")]
    [InlineData("iq4_nl", "bf16")]
    public void Gemv_holds_every_storage_against_the_memory_it_comes_from(string weights, string precision)
    {
        JsonElement line = Lines("gemv", "--m", "2", "--n", "512", "--k", "1024", "--threads", "1", "--weights", weights, "--precision", precision).ShouldHaveSingleItem();
        ShouldHold(line, "gflops", "gb_s", "share_of_bandwidth");
        (line.GetProperty("weights").GetString(), line.GetProperty("precision").GetString()).ShouldBe((weights, precision));
    }

    [Fact]
    public void Attention_measures_training_prompts_and_single_tokens()
    {
        JsonElement[] lines = Lines("attention", "--batch", "2", "--length", "32", "--heads", "4", "--kv-heads", "2", "--head-dim", "16", "--threads", "1");
        lines.Select(line => line.GetProperty("form").GetString()).ShouldBe(["forward", "backward", "prefill", "decode"]);
        foreach (JsonElement line in lines)
            ShouldHold(line, "gflops", "share_of_peak", "share_of_bandwidth");
    }

    [Fact]
    public void Repetitions_are_told_by_median_and_extremes()
    {
        JsonElement line = Lines("train", "--model", "random:tiny", "--batch", "1", "--seq", "8", "--steps", "2", "--repeat", "3").ShouldHaveSingleItem();
        line.GetProperty("repeat").GetInt32().ShouldBe(3);
        foreach (string name in (string[])["tok_s", "step_s"])
        {
            double median = line.GetProperty(name).GetDouble();
            median.ShouldBeInRange(line.GetProperty("min").GetProperty(name).GetDouble(), line.GetProperty("max").GetProperty(name).GetDouble(), name);
        }
    }

    [Fact]
    public void A_figure_is_told_beside_the_earlier_one_of_the_same_configuration()
    {
        string file = Path.GetTempFileName();
        string[] arguments = ["bench", "gemm", "--m", "64", "--n", "48", "--k", "32", "--threads", "1", "--json", "--against", file];
        try
        {
            File.WriteAllText(file, """
                {"bench":"gemm","form":"forward","m":64,"n":48,"k":32,"threads":1,"precision":"f32","weights":"f32","gflops":2}
                {"bench":"gemm","form":"forward","m":64,"n":48,"k":32,"threads":2,"precision":"f32","weights":"f32","gflops":3}
                """);
            JsonElement line = JsonDocument.Parse(CommandRun.Of(arguments).Succeeded().Lines.ShouldHaveSingleItem()).RootElement;
            JsonElement against = line.GetProperty("against");
            against.GetProperty("gflops").GetDouble().ShouldBe(2);
            against.GetProperty("ratio").GetDouble().ShouldBe(line.GetProperty("gflops").GetDouble() / 2, 0.01 * line.GetProperty("gflops").GetDouble());
            CommandRun.Of([.. arguments.Where(argument => argument != "--json")]).Succeeded().Output.ShouldContain("ratio");
            File.WriteAllText(file, """{"bench":"gemm","form":"forward","m":64,"n":48,"k":32,"threads":1,"precision":"f32","weights":"f32","gflops":0}""");
            JsonDocument.Parse(CommandRun.Of(arguments).Succeeded().Lines.ShouldHaveSingleItem()).RootElement.GetProperty("against").GetProperty("ratio").ValueKind.ShouldBe(JsonValueKind.Null);

            File.WriteAllText(file, """{"bench":"gemm","form":"forward","m":65,"n":48,"k":32,"threads":1,"precision":"f32","weights":"f32","gflops":2}""");
            CommandRun none = CommandRun.Of(arguments).Succeeded();
            JsonDocument.Parse(none.Lines.ShouldHaveSingleItem()).RootElement.GetProperty("against").ValueKind.ShouldBe(JsonValueKind.Null);
            none.Error.ShouldContain("has nothing of bench gemm, form forward, m 64");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("{\"bench\":\"gemm\"}\n\nnot json", "line 3: this is not JSON")]
    [InlineData("{\"gflops\":1}", "line 1: no result of lorikeet bench")]
    [InlineData("", "holds no results")]
    public void Earlier_figures_that_are_none_are_refused_with_their_line(string text, string problem)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text);
            CommandRun run = CommandRun.Of("bench", "gemm", "--m", "64", "--n", "48", "--k", "32", "--against", file);
            run.Code.ShouldBe(2);
            run.Error.ShouldContain(problem);
            run.Output.ShouldBeEmpty();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Sizes_that_make_no_sense_are_refused()
    {
        CommandRun half = CommandRun.Of("bench", "gemm", "--m", "64");
        half.Code.ShouldBe(2);
        half.Error.ShouldContain("--m, --n and --k");
        CommandRun.Of("bench", "train", "--model", "random:tiny", "--steps", "1").Code.ShouldBe(2);
        CommandRun.Of("bench", "decode", "--model", "random:tiny", "--streams", "0").Code.ShouldBe(2);
        CommandRun.Of("bench", "train", "--model", "random:tiny", "--optimizer-in-backward").Error.ShouldContain("--method full was expected");
        CommandRun.Of("bench", "gemv", "--m", "17", "--n", "64", "--k", "64").Code.ShouldBe(2);
        CommandRun.Of("bench", "gemv", "--n", "64", "--k", "48", "--weights", "q4_0").Error.ShouldContain("--k 48: a multiple of 32");
        CommandRun.Of("bench", "attention", "--heads", "9", "--kv-heads", "2").Error.ShouldContain("--heads 9");
    }

    [Theory]
    [InlineData("train", "--seq")]
    [InlineData("prefill", "--tokens")]
    [InlineData("decode", "--tokens")]
    public void More_tokens_than_the_model_sees_are_refused(string what, string option)
    {
        CommandRun run = CommandRun.Of("bench", what, "--model", "random:tiny", option, "99999");
        run.Code.ShouldBe(2);
        run.Error.ShouldStartWith($"{option} 99999: ");
    }

    [Theory]
    [InlineData("gemm --m 0 --n 64 --k 99999", "--m 0: a number between 1 and 65536 was expected", "--k 99999: a number between 1 and 65536 was expected")]
    [InlineData("gemm --weights q9_0", "--weights q9_0: one of f32, f16, bf16, ", "Did you mean q")]
    [InlineData("gemm --model random:huge --threads 0", "--model random:huge: unknown shape", "--threads 0: a number between 1 and ")]
    [InlineData("gemv --n 0 --k 32 --m 17", "--n 0: a number between", "--m 17: a number between 1 and 16 was expected")]
    [InlineData("gemv --model nowhere --precision half", "--precision half: one of f32, bf16, int8, auto was expected", "--model nowhere: there is no such folder or file")]
    [InlineData("train --model nowhere --batch x --steps y --memory much", "--model nowhere: there is no such", "--batch x: a whole number up to", "--steps y: a whole number", "--memory: found much")]
    [InlineData("prefill --streams y --prefill-chunk z --repeat often", "--streams y: a whole number", "--prefill-chunk z: a whole number", "--repeat often: a whole number")]
    [InlineData("decode --streams 1.5", "--streams 1.5: a whole number up to 2147483647 was expected")]
    [InlineData("attention --heads x --threads 0", "--heads x: a whole number", "--threads 0: a number between 1 and ")]
    [InlineData("train --model random:tiny:q9 --steps 1 --memory much", "--model random:tiny:q9: storage \"q9\" is not known", "--steps 1: a number between 2 and 1048576 was expected; the first is not counted", "--memory: found much, expected a size")]
    [InlineData("train --model random:tiny --memory 1MB", "--memory: found 1MB, expected at least ", "make it smaller: --seq, --weights nf4-dq")]
    [InlineData("train --model random:tiny --rank 2000", "--rank: found a rank of 2000")]
    [InlineData("train --optimizer sgd --activations f16", "--optimizer sgd: one of adamw, ", "--activations f16: one of f32, bf16, auto was expected")]
    [InlineData("prefill --model nowhere --weights int4", "--weights int4: one of ")]
    [InlineData("prefill --model nowhere", "--model nowhere: there is no such folder or file")]
    [InlineData("decode --model nowhere --tokens 1", "--model nowhere: there is no such folder or file", "--tokens 1: a number between 2 and 1048576 was expected, for allocation")]
    [InlineData("decode --kv-cache int4", "--kv-cache int4: one of f32, bf16, int8 was expected")]
    [InlineData("gemm --m 64 --threads 0 --against nofile", "--m, --n and --k: all three", "--threads 0: a number between", "--against nofile: there is no such file")]
    [InlineData("gemm --against .", "--against .: is a folder; a file was expected")]
    [InlineData("train --model random:tiny --seq 99999 --against nofile --optimizer-in-backward", "--seq 99999: random:tiny sees", "--against nofile", "--optimizer-in-backward: --method full")]
    [InlineData("decode --model random:tiny --tokens 99999 --against nofile", "--tokens 99999: with the prompt", "--against nofile")]
    [InlineData("train --model random:tiny --method full --weights nf4", "--weights nf4: full fine-tuning trains the matrices themselves")]
    [InlineData("train --model random:tiny --method full --weights bf16 --embeddings q8_0", "--weights bf16: full fine-tuning", "--embeddings q8_0: full fine-tuning")]
    [InlineData("train --model random:tiny --batch 1000000 --seq 256", "--batch 1000000 and --seq 256: about ", " MB are needed, and this machine has ")]
    [InlineData("train --model random:smollm2-135m --batch 1000000 --seq 8000", "--batch 1000000 and --seq 8000: at most 2147483647 tokens")]
    [InlineData("decode --model random:tiny --streams 1000000 --context 1 --prefill-chunk 1048576", "--streams 1000000: texts of ", " MB, and this machine has ")]
    [InlineData("attention --form sideways", "--form sideways: one of forward, backward, prefill, decode was expected")]
    public void Options_are_looked_at_before_anything_is_measured_and_called_by_their_names(string typed, params string[] told)
    {
        CommandRun run = CommandRun.Of(["bench", .. typed.Split(' ')]);
        run.Code.ShouldBe(2);
        foreach (string part in told)
            run.Error.ShouldContain(part);
        run.Error.ShouldNotContain("training.");
        run.Error.ShouldNotContain("not recognized");
        run.Output.ShouldBeEmpty();
    }

    [Fact]
    public void Storages_and_precisions_are_written_in_any_case()
    {
        Lines("decode", "--model", "random:TINY:BF16", "--weights", "Q4_0", "--precision", "INT8", "--kv-cache", "Int8", "--tokens", "4").ShouldHaveSingleItem().GetProperty("weights").GetString().ShouldBe("q4_0 76 %, bf16 24 %");
    }

    [Fact]
    public void A_model_whose_rows_fit_a_storage_in_part_says_what_its_matrices_are()
    {
        // rows of 64 and 172: none is a block of 256, and 172 is none of 32 either
        string[] bench = ["bench", "decode", "--model", "random:tiny", "--weights", "q4_k", "--tokens", "4", "--json"];
        CommandRun run = CommandRun.Of(bench).Succeeded();
        JsonDocument.Parse(run.Lines.ShouldHaveSingleItem()).RootElement.GetProperty("weights").GetString().ShouldBe("q5_0 76 %, bf16 24 %");
        run.Error.ShouldContain("31 matrices are not kept as q4_k but as q5_0, for rows are not whole blocks of 256: ");
        run.Error.ShouldContain("5 matrices are not kept as q4_k but as bf16");
    }

    [Fact]
    public void A_model_that_is_stored_quantised_is_not_trained_as_a_whole()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lorikeet-");
        try
        {
            string file = Path.Combine(folder.FullName, "q8.gguf");
            CommandRun.Of("quantize", "random:tiny", "--to", "q8_0", "--out", file).Succeeded();
            CommandRun refused = CommandRun.Of("bench", "train", "--model", file, "--method", "full");
            (refused.Code, refused.Output).ShouldBe((2, ""));
            refused.Error.ShouldContain($"--method full: {file} is stored as q8_0, and full fine-tuning trains the matrices themselves");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("prefill", "--tokens", "16")]
    [InlineData("decode", "--tokens", "4")]
    public void Measuring_the_machine_is_none_of_the_memory_of_the_model(string what, params string[] options)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the peak is counted anew on Linux alone");
        // the buffer that memory is measured with is at least 128 MiB, and this process may hold less and more than before
        ProcessMemory.ForgetPeak();
        double before = ProcessMemory.PeakBytes() / 1048576.0;
        Lines([what, "--model", "random:tiny", .. options]).ShouldHaveSingleItem().GetProperty("peak_rss_mb").GetDouble().ShouldBeLessThan(before + 100);
    }

    [Fact]
    public void A_prompt_read_in_integers_is_held_against_the_peak_of_their_instructions()
    {
        JsonElement line = Lines("prefill", "--model", "random:tiny", "--weights", "q8_0", "--precision", "int8", "--tokens", "64").ShouldHaveSingleItem();
        double rate = line.GetProperty("useful_gflops").GetDouble(), peak = line.GetProperty("fma_peak_gflops").GetDouble();
        double share = line.GetProperty("share_of_peak").GetDouble();
        if (KernelChoice.HasInt8)
            share.ShouldBeLessThan(0.75 * rate / peak);
        else
            share.ShouldBe(rate / peak, 0.01 * rate / peak);
    }

    [Fact]
    public void An_interruption_does_not_wait_for_the_end()
    {
        using CancellationTokenSource stop = new();
        using StringWriter output = new StoppingWriter(stop), error = new();
        int code = CommandLine.Run(["bench", "gemm", "--model", "random:tiny", "--json", "--threads", "1"], new Terminal { In = TextReader.Null, Out = output, Error = error, Interrupted = stop.Token });
        code.ShouldBe(130);
        output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBeLessThan(3);
    }

    // the first result interrupts
    private sealed class StoppingWriter(CancellationTokenSource stop) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            stop.Cancel();
        }
    }

    private static JsonElement[] Lines(params string[] arguments) =>
        [.. CommandRun.Of(["bench", .. arguments, "--json"]).Succeeded().Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    private static void ShouldHold(JsonElement line, params string[] names)
    {
        foreach (string name in (string[])[.. names, "fma_peak_gflops", "read_gb_s"])
            line.TryGetProperty(name, out _).ShouldBeTrue($"{name} in {line}");
        if (line.TryGetProperty("share_of_peak", out JsonElement share))
            share.GetDouble().ShouldBeLessThan(1);
        line.GetProperty("fma_peak_gflops").GetDouble().ShouldBeGreaterThan(0);
        line.GetProperty("read_gb_s").GetDouble().ShouldBeGreaterThan(0);
    }
}
