using System.Globalization;
using System.Text.Json.Nodes;
using Lorikeet.Cli;
using Lorikeet.Cli.Tests;
using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet quantize</c>, and <c>lorikeet merge</c> into what it wrote.</summary>
public sealed class QuantizeCommandTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("lorikeet-");

    private static string Stories => Path.Combine(AppContext.BaseDirectory, "Embedded", "stories260K");

    private string Output => Path.Combine(_temporary.FullName, "out");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Theory]
    [InlineData("nf4", 0.11)]
    [InlineData("nf4-dq", 0.11)]
    [InlineData("fp4", 0.14)]
    [InlineData("int8", 0.01)]
    [InlineData("bf16", 0.003)]
    public void The_folder_holds_what_quantising_in_memory_makes(string storage, double error)
    {
        CommandRun run = CommandRun.Of("quantize", Stories, "--to", storage, "--out", Output).Succeeded();
        // every matrix is a line with its error
        string[] lines = [.. run.Lines.Where(line => line.EndsWith($"({storage})", StringComparison.Ordinal))];
        lines.Length.ShouldBe(storage == "bf16" ? 36 : 35);
        lines.Max(line => double.Parse(line.TrimStart().Split(' ')[0], CultureInfo.InvariantCulture)).ShouldBeLessThan(error);
        using CausalLm fromDisk = ModelLoader.Load(Output), inMemory = ModelLoader.Load(Stories, WeightStorage.Parse(storage));
        foreach ((Parameter disk, Parameter memory) in fromDisk.Parameters.Zip(inMemory.Parameters).Where(pair => pair.First.Value.Shape.Rank == 2))
        {
            disk.Value.Type.ShouldBe(memory.Value.Type, disk.Name);
            disk.Value.Contents.Span.SequenceEqual(memory.Value.Contents.Span).ShouldBeTrue(disk.Name);
        }
        CommandRun.Of("inspect", Output).Succeeded();
        Directory.EnumerateFileSystemEntries(_temporary.FullName).ShouldBe([Output]);
    }

    [Fact]
    public void A_gguf_file_holds_weights_tokenizer_and_all()
    {
        string file = Output + ".gguf";
        CommandRun run = CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", file).Succeeded();
        run.Lines.ShouldContain(line => line.EndsWith("(q8_0)", StringComparison.Ordinal) || line.EndsWith("(f16)", StringComparison.Ordinal));
        string[] ask = ["Once upon a time", "--max-tokens", "12"];
        CommandRun.Of(["generate", file, .. ask]).Succeeded().Output.ShouldBe(CommandRun.Of(["generate", Stories, .. ask]).Succeeded().Output);
        CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", file).Code.ShouldBe(2);
        CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", Output).Error.ShouldContain(".gguf");
        CommandRun.Of("quantize", Stories, "--to", "nf4", "--out", file).Error.ShouldContain("folder");
        Directory.EnumerateFileSystemEntries(_temporary.FullName).ShouldBe([file]);
    }

    [Fact]
    public void The_model_itself_is_never_replaced()
    {
        string file = Output + ".gguf", link = Path.Combine(_temporary.FullName, "link.gguf"), folder = Path.Combine(_temporary.FullName, "folder"), adapter = Path.Combine(_temporary.FullName, "adapter.gguf");
        CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", file).Succeeded();
        CommandRun.Of("quantize", Stories, "--to", "bf16", "--out", folder).Succeeded();
        File.CreateSymbolicLink(link, file);
        Directory.CreateSymbolicLink(folder + "-link", folder);
        byte[] before = File.ReadAllBytes(file), weights = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        Refused(file, file, "quantize", file, "--to", "q4_0", "--out", file);
        Refused(file, link, "quantize", link, "--to", "q4_0", "--out", file);
        Refused(link, file, "quantize", file, "--to", "q4_0", "--out", link);
        Refused(folder, folder, "quantize", folder, "--to", "nf4", "--out", folder);
        Refused(folder, folder + "-link", "quantize", folder + "-link", "--to", "nf4", "--out", folder);
        Refused(folder, folder + "-link", "merge", folder + "-link", "--adapter", adapter, "--out", folder);
        Refused(file, link, "convert", link, "--adapter", adapter, "--out", file);
        Refused(file, link, "convert", Stories, "--adapter", link, "--out", file);
        File.ReadAllBytes(file).ShouldBe(before);
        File.ReadAllBytes(Path.Combine(folder, "model.safetensors")).ShouldBe(weights);

        static void Refused(string output, string origin, params string[] command)
        {
            CommandRun run = CommandRun.Of([.. command, "--overwrite"]);
            run.Code.ShouldBe(2, run.Error);
            run.Error.ShouldContain($"{output}: {origin} is what it would be made from");
        }
    }

    [Theory]
    [InlineData("nf4-llama", "nf4-dq")]
    [InlineData("fp4-qwen2-plain", "fp4")]
    [InlineData("int8-llama", "int8")]
    public void Tensors_and_configuration_are_those_that_transformers_writes(string golden, string storage)
    {
        // widened first: writing it in the same storage again must bring everything back but the second rounding of magnitudes
        string wide = Path.Combine(_temporary.FullName, "wide"), folder = GoldenData.Path("quant", golden);
        CommandRun.Of("quantize", folder, "--to", "f32", "--out", wide).Succeeded();
        JsonNode.Parse(File.ReadAllText(Path.Combine(wide, "config.json")))!["quantization_config"].ShouldBeNull();
        CommandRun.Of("quantize", wide, "--to", storage, "--out", Output).Succeeded();
        using ITensorSource ours = TensorFiles.Open(Path.Combine(Output, "model.safetensors")), theirs = TensorFiles.Open(Path.Combine(folder, "model.safetensors"));
        ours.Names.ShouldBe(theirs.Names);
        foreach (string name in theirs.Names)
        {
            (StoredTensor a, StoredTensor b) = (ours.Find(name)!, theirs.Find(name)!);
            a.Type.ShouldBe(b.Type, name);
            if (name.Contains("quant_state", StringComparison.Ordinal))
            {
                JsonObject x = (JsonObject)JsonNode.Parse(a.Bytes.Span)!, y = (JsonObject)JsonNode.Parse(b.Bytes.Span)!;
                (x.Remove("nested_offset"), y.Remove("nested_offset")).ShouldBe((storage == "nf4-dq", storage == "nf4-dq"));
                x.ToJsonString().ShouldBe(y.ToJsonString());
                continue;
            }
            a.Shape.ShouldBe(b.Shape, name);
            if (!name.EndsWith(".absmax", StringComparison.Ordinal) && !name.EndsWith(".nested_absmax", StringComparison.Ordinal) && !name.EndsWith(".SCB", StringComparison.Ordinal))
                Codes(a, storage).SequenceEqual(Codes(b, storage)).ShouldBeTrue(name);
        }
        JsonObject config = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(Output, "config.json")))!["quantization_config"]!;
        JsonObject expected = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!["quantization_config"]!;
        foreach (string key in new[] { "load_in_4bit", "load_in_8bit", "quant_method", "_load_in_4bit", "_load_in_8bit" })
            JsonNode.DeepEquals(config[key], expected[key]).ShouldBeTrue(key);
        config.Select(pair => pair.Key).ShouldBe(expected.Select(pair => pair.Key));
    }

    [Fact]
    public void A_merge_into_a_base_of_four_bits_writes_the_folder_that_PEFT_writes()
    {
        string golden = GoldenData.Path("quant", "qlora-merged");
        CommandRun.Of("merge", GoldenData.Path("quant", "nf4-llama"), "--adapter", GoldenData.Path("quant", "qlora-adapter"), "--out", Output).Succeeded();
        File.ReadAllText(Path.Combine(Output, "config.json")).ShouldBe(File.ReadAllText(Path.Combine(GoldenData.Path("quant", "nf4-llama"), "config.json")));
        using ITensorSource ours = TensorFiles.Open(Path.Combine(Output, "model.safetensors")), theirs = TensorFiles.Open(Path.Combine(golden, "model.safetensors"));
        ours.Names.Order(StringComparer.Ordinal).ShouldBe(theirs.Names.Order(StringComparer.Ordinal));
        int bytes = 0, apart = 0;
        foreach (string name in theirs.Names.Where(name => theirs.Find(name)!.Type == DType.U8 && !name.Contains("quant_state", StringComparison.Ordinal)))
        {
            ReadOnlySpan<byte> a = ours.Find(name)!.Bytes.Span, b = theirs.Find(name)!.Bytes.Span;
            a.Length.ShouldBe(b.Length, name);
            bytes += a.Length;
            for (int i = 0; i < a.Length; i++)
                apart += a[i] == b[i] ? 0 : 1;
        }
        // the update's sums round otherwise, and the reference rounded magnitudes by a table
        TestContext.Current.TestOutputHelper?.WriteLine($"{apart} of {bytes} bytes differ");
        apart.ShouldBeLessThan(bytes / 5000);
    }

    [Fact]
    public void Asked_for_wide_weights_a_merge_rounds_nothing()
    {
        string adapter = GoldenData.Path("quant", "qlora-adapter");
        CommandRun.Of("merge", GoldenData.Path("quant", "nf4-llama"), "--adapter", adapter, "--out", Output, "--dtype", "f32").Succeeded();
        using CausalLm model = ModelLoader.Load(Output);
        model.Parameters.ShouldAllBe(parameter => parameter.Value.Type == DType.F32);
        JsonNode.Parse(File.ReadAllText(Path.Combine(Output, "config.json")))!["quantization_config"].ShouldBeNull();
        // the live adapter's logits, not those of the merge that was quantised again
        string forward = Path.Combine(_temporary.FullName, "forward.safetensors"), io = GoldenData.Path("quant", "qlora-merged-io.safetensors");
        CommandRun.Of("forward", Output, io, "--out", forward).Succeeded();
        using ITensorSource ours = TensorFiles.Open(forward), theirs = TensorFiles.Open(io);
        float[] a = Floats(ours.Find("logits")!), b = Floats(theirs.Find("logits_unmerged")!);
        long[] mask = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(theirs.Find("attention_mask")!.Bytes.Span).ToArray();
        int vocabulary = a.Length / mask.Length;
        for (int i = 0; i < a.Length; i++)
        {
            if (mask[i / vocabulary] == 1)
                a[i].ShouldBe(b[i], 1e-4f);
        }
    }

    [Fact]
    public void The_perplexity_before_and_after_is_told()
    {
        string text = Path.Combine(_temporary.FullName, "text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Repeat("Once upon a time there was a little girl. She liked to play in the park with her dog. ", 8)));
        CommandRun run = CommandRun.Of("quantize", Stories, "--to", "int8", "--out", Output, "--data", text).Succeeded();
        run.Output.ShouldContain("perplexity on");
        run.Output.ShouldContain("before");
        CommandRun.Of("quantize", Stories, "--to", "int8", "--out", Output + "2", "--data", text + ".not").Code.ShouldBe(2);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_refused_all_at_once()
    {
        const string query = "model.layers.1.self_attn.q_proj.weight", norm = "model.norm.weight";
        string source = Edited((query, 70, float.NaN), (norm, 3, float.NegativeInfinity));
        foreach ((string storage, string output) in new[] { ("nf4", Output), ("f16", Output), ("f32", Output), ("iq4_nl", Output + ".gguf"), ("f32", Output + ".gguf") })
        {
            CommandRun refused = CommandRun.Of("quantize", source, "--to", storage, "--out", output);
            refused.Code.ShouldBe(2, storage);
            refused.Error.ShouldContain($"{source}: holds numbers that are not finite: a model with such weights computes nothing. Get the file again, or take a checkpoint from before training diverged; nothing was written");
            refused.Error.ShouldContain($"tensor {query} holds NaN in row 1");
            refused.Error.ShouldContain($"tensor {norm} holds -Infinity in row 0");
            refused.Output.ShouldNotContain("model.layers");
        }
        Directory.EnumerateFileSystemEntries(_temporary.FullName).ShouldBe([source]);
        // turned in memory
        Should.Throw<InputException>(() => ModelLoader.Load(source, DType.Q5_0)).Message.ShouldContain($"{query} holds NaN in row 1");
    }

    [Theory]
    [InlineData("f16", 1e6f)]
    [InlineData("int8", 3e38f)]
    [InlineData("q8_0", 1e30f)]
    [InlineData("q4_0", 1e30f)]
    [InlineData("q4_k", 1e30f)]
    public void Numbers_that_a_storage_cannot_hold_are_refused_all_at_once(string storage, float number)
    {
        // two matrices and, where vectors are rounded as well, a vector
        string[] names = ["model.layers.0.mlp.up_proj.weight", "model.layers.1.self_attn.q_proj.weight", .. storage == "f16" ? new[] { "model.norm.weight" } : []];
        string source = Edited([.. names.Select(name => (name, 3, number))]), output = storage.StartsWith('q') ? Output + ".gguf" : Output;
        CommandRun refused = CommandRun.Of("quantize", source, "--to", storage, "--out", output);
        refused.Code.ShouldBe(2, refused.Output);
        refused.Error.ShouldContain($"{output}: not written, for numbers would not be finite there. Choose a storage of wider range: bf16 or f32");
        foreach (string name in names)
            refused.Error.ShouldContain(string.Create(CultureInfo.InvariantCulture, $"tensor {name}: its numbers go up to {number:0.###e+0}, which "));
        Directory.EnumerateFileSystemEntries(_temporary.FullName).ShouldBe([source]);
    }

    [Fact]
    public void A_row_of_large_numbers_is_kept_as_int8()
    {
        string source = Edited(("model.layers.1.self_attn.q_proj.weight", 70, 1e6f));
        CommandRun.Of("quantize", source, "--to", "int8", "--out", Output).Succeeded();
        using CausalLm model = ModelLoader.Load(Output);
        float[] row = new float[model.InputEmbedding.Weight.Value.Columns];
        model.Parameters.Single(parameter => parameter.Name == "model.layers.1.self_attn.q_proj.weight").Value.ReadRow(1, row);
        row[70 - row.Length].ShouldBe(1e6f);
        row.Where(number => number == 0).Count().ShouldBe(row.Length - 1);
    }

    [Theory]
    [InlineData("nf4")]
    [InlineData("bf16")]
    [InlineData("q4_0")]
    public void An_interruption_leaves_nothing_behind(string storage)
    {
        using CancellationTokenSource stop = new();
        using StringWriter output = new StoppingWriter(stop), error = new() { NewLine = "\n" };
        string place = storage == "q4_0" ? Output + ".gguf" : Output;
        int code = CommandLine.Run(["quantize", Stories, "--to", storage, "--out", place], new Terminal { In = TextReader.Null, Out = output, Error = error, Interrupted = stop.Token });
        (code, error.ToString()).ShouldBe((130, "error: interrupted\n"));
        output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBeLessThan(3);
        Directory.EnumerateFileSystemEntries(_temporary.FullName).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("quantize", "--to", "int8", "--data", "text.txt", "--out", "out")]
    [InlineData("merge", "--adapter", "adapter", "--out", "out")]
    [InlineData("convert", "--adapter", "adapter", "--out", "out.gguf")]
    [InlineData("forward", "inputs.safetensors", "--out", "out.safetensors")]
    public void An_interruption_ends_every_command_that_writes(string command, params string[] options)
    {
        string adapter = Path.Combine(_temporary.FullName, "adapter");
        using (CausalLm model = ModelLoader.Load(Stories))
        {
            Adapter made = AdapterFile.Create(model, PeftRegistry.OfRecipe("lora"), new JsonObject { ["r"] = 2, ["target_modules"] = "all-linear" });
            made.Attach();
            AdapterFile.Save(made, adapter, Stories);
        }
        File.WriteAllText(Path.Combine(_temporary.FullName, "text.txt"), "Once upon a time there was a little girl.");
        SafetensorsWriter.Write(Path.Combine(_temporary.FullName, "inputs.safetensors"), [new SafetensorsEntry("input_ids", DType.I64, [1, 2], stream => stream.Write(new byte[16]))], null);
        string[] before = [.. Directory.EnumerateFileSystemEntries(_temporary.FullName).Order()];
        using CancellationTokenSource stop = new();
        stop.Cancel();
        using StringWriter output = new(), error = new() { NewLine = "\n" };
        string[] typed = [command, Stories, .. options.Select((option, i) => option.StartsWith("--", StringComparison.Ordinal) || option == "int8" ? option : Path.Combine(_temporary.FullName, option))];
        int code = CommandLine.Run(typed, new Terminal { In = TextReader.Null, Out = output, Error = error, Interrupted = stop.Token });
        (code, error.ToString(), output.ToString()).ShouldBe((130, "error: interrupted\n", ""));
        Directory.EnumerateFileSystemEntries(_temporary.FullName).Order().ShouldBe(before);
    }

    [Fact]
    public void All_that_is_wrong_with_a_command_line_is_told_at_once()
    {
        string file = Path.Combine(_temporary.FullName, "file");
        File.WriteAllText(file, "");
        CommandRun refused = CommandRun.Of("quantize", "nowhere", "--to", "q9", "--out", Path.Combine(file, "x.gguf"), "--data", "nofile");
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("nowhere: there is no such folder or file");
        refused.Error.ShouldContain("--to q9: one of ");
        refused.Error.ShouldContain("x.gguf: cannot be written (");
        refused.Error.ShouldContain("--data nofile: there is no such file");
    }

    [Fact]
    public void A_text_that_has_no_perplexity_is_refused()
    {
        string text = Path.Combine(_temporary.FullName, "text.txt");
        Told(_temporary.FullName, $"{_temporary.FullName}: is a folder; a file was expected");
        File.WriteAllBytes(text, [(byte)'a', 0xFF, (byte)'b']);
        Told(text, $"{text}, line 1: byte 2 of the line (0xFF) is not UTF-8");
        File.WriteAllText(text, "");
        Told(text, $"{text}: has no token, at least two were expected");
        File.WriteAllText(text, "a");
        Told(text, $"{text}: has one token, at least two were expected");

        void Told(string data, string problem)
        {
            CommandRun run = CommandRun.Of("quantize", Stories, "--to", "int8", "--out", Output, "--data", data);
            run.Code.ShouldBe(2, run.Output);
            run.Error.ShouldContain(problem);
        }
    }

    [Fact]
    public void A_gguf_file_without_a_tokenizer_is_told_of()
    {
        CommandRun.Of("quantize", "random:tiny", "--to", "q8_0", "--out", Output + ".gguf").Succeeded().Error.ShouldContain($"note: {Output}.gguf has no tokenizer, for random:tiny has none");
        CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", Output + "2.gguf").Succeeded().Error.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("nf4")]
    [InlineData("nf4-dq")]
    [InlineData("int8")]
    public void A_quantised_folder_has_as_many_parameters_as_before(string storage)
    {
        CommandRun.Of("quantize", Stories, "--to", storage, "--out", Output).Succeeded();
        Parameters(Output).ShouldBe(Parameters(Stories));

        static long Parameters(string folder) => (long)JsonNode.Parse(CommandRun.Of("inspect", folder, "--json").Succeeded().Output)!["parameters"]!;
    }

    [Fact]
    public void What_a_killed_run_left_beside_the_output_is_told()
    {
        string left = Path.Combine(_temporary.FullName, ".out.gguf.7fffffff-1-0000abcd.unfinished"), running = Path.Combine(_temporary.FullName, $".out.gguf.{Environment.ProcessId:x}-1-0000abcd.unfinished");
        File.WriteAllText(left, "half");
        File.WriteAllText(running, "half");
        CommandRun run = CommandRun.Of("quantize", Stories, "--to", "q8_0", "--out", Output + ".gguf").Succeeded();
        run.Error.ShouldContain($"note: {left}: left by a run that was killed before it was done; remove it");
        run.Error.ShouldNotContain(running);
        File.Exists(left).ShouldBeTrue();
    }

    // the model with other numbers in places
    private string Edited(params (string Tensor, int At, float Number)[] edits)
    {
        string source = Path.Combine(_temporary.FullName, "source");
        Directory.CreateDirectory(source);
        foreach (string name in Directory.EnumerateFiles(Stories).Select(Path.GetFileName).Where(name => name != "model.safetensors")!)
            File.Copy(Path.Combine(Stories, name!), Path.Combine(source, name!));
        using ITensorSource file = TensorFiles.Open(Path.Combine(Stories, "model.safetensors"));
        SafetensorsWriter.Write(Path.Combine(source, "model.safetensors"), file.Names.Select(name =>
        {
            StoredTensor stored = file.Find(name)!;
            byte[] bytes = stored.Bytes.Span.ToArray();
            foreach ((_, int at, float number) in edits.Where(edit => edit.Tensor == name))
                BitConverter.GetBytes(number).CopyTo(bytes, 4 * at);
            return new SafetensorsEntry(name, stored.Type, stored.Shape, stream => stream.Write(bytes));
        }), SafetensorsWriter.TorchFormat);
        return source;
    }

    // the second line interrupts: the first is the heading
    private sealed class StoppingWriter(CancellationTokenSource stop) : StringWriter(CultureInfo.InvariantCulture)
    {
        private int _lines;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (++_lines == 2)
                stop.Cancel();
        }
    }

    [Fact]
    public void Matrices_that_are_stored_transposed_are_not_written_for_bitsandbytes()
    {
        CommandRun refused = CommandRun.Of("quantize", GoldenData.Path("models", "gpt2"), "--to", "nf4", "--out", Output);
        refused.Code.ShouldBe(2);
        refused.Error.ShouldContain("transposed");
    }

    // FP4 has two zeros, of which the second never comes back
    private static byte[] Codes(StoredTensor stored, string storage) => stored.Type != DType.U8 || storage != "fp4" ? stored.Bytes.Span.ToArray()
        : [.. stored.Bytes.Span.ToArray().Select(pair => (byte)((pair & 15) == 8 ? pair & 240 : pair)).Select(pair => (byte)(pair >> 4 == 8 ? pair & 15 : pair))];

    private static float[] Floats(StoredTensor stored) => Tensor.FromBytes(stored.Bytes, stored.Type, Shape.From(stored.Shape)).ToSingles();
}
