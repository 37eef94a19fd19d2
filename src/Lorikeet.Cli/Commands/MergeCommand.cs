using System.CommandLine;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet merge</c>: base and adapter as one Hugging Face folder, which any program loads without knowing of adapters.</summary>
internal static class MergeCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = CommonOptions.Model();
        Option<string> adapter = new("--adapter", "-a") { Description = "The adapter: a folder, or a GGUF file", Required = true };
        Option<string> output = new("--out", "-o") { Description = "The folder to write; it appears complete or not at all", Required = true };
        Option<string?> type = new("--dtype") { Description = "Storage of the weights; by default what the base has: of bitsandbytes' formats the same again, of other quantised ones f32" };
        type.AcceptOneOf("f32", "bf16", "f16");
        Option<bool> overwrite = new("--overwrite") { Description = "Replace the model folder that is there" };
        ExampleCommand command = new("merge", "Make an adapter part of the weights and write a model folder.",
            "lorikeet merge models/smollm2 --adapter runs/first/adapter --out models/smollm2-e2e")
        {
            model, adapter, output, type, overwrite,
        };
        command.SetAction(parse => Run(parse.GetRequiredValue(model), parse.GetRequiredValue(adapter), parse.GetRequiredValue(output), parse.GetValue(type) switch
        {
            "f32" => DType.F32,
            "bf16" => DType.BF16,
            "f16" => DType.F16,
            _ => null,
        }, parse.GetValue(overwrite), terminal));
        return command;
    }

    private static int Run(string modelName, string adapterFolder, string output, DType? type, bool overwrite, Terminal terminal)
    {
        if (output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            throw new InputException($"--out {output}: a model folder is written, and the name is that of a GGUF file; write a folder, then `lorikeet quantize FOLDER --to f16 --out {output}` makes that file of it");
        ModelFiles files = ModelFiles.Find(modelName);
        Origins.Check(output, within: false, [.. files.IsRandom ? [] : new[] { files.Path }, adapterFolder]);
        if (!overwrite && Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new InputException($"{output}: holds something already; choose another folder, or say --overwrite to replace a model folder as a whole");
        AtomicFolder.Check(output, ModelFolder.ConfigName, $"--out {output}");
        Leftovers.Tell(output, terminal);
        // asked for wide weights, one that is quantised is merged wide
        using LanguageModel model = files.LoadAnyModel(type is not null && files.IsQuantized ? DType.F32 : null);
        Adapter adapter = GgufAdapterFile.LoadAny(model, adapterFolder);
        foreach (string note in adapter.Notes)
            terminal.Error.WriteLine($"note: {note}");
        terminal.Interrupted.ThrowIfCancellationRequested();
        adapter.Merge();
        ModelText text = files.Text();
        ModelFolder.Save(model, files.Path, output, type, [adapterFolder], also: text.WriteInto, stop: terminal.Interrupted);
        terminal.Out.WriteLine($"{output}: {modelName} with {adapterFolder} ({adapter.Method.Type})");
        if (text.Missing is { } withoutText)
            terminal.Error.WriteLine($"note: {output} has no tokenizer ({withoutText}); copy the one of the original model into the folder");
        return ExitCode.Success;
    }
}
