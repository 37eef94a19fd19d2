using System.CommandLine;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet convert</c>: an adapter from a folder into a GGUF file for llama.cpp, or back.</summary>
internal static class ConvertCommand
{
    private const string GgufSuffix = ".gguf";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = CommonOptions.Model();
        Option<string> adapter = new("--adapter", "-a") { Description = "The adapter: a folder, or a GGUF file", Required = true };
        Option<string> output = new("--out", "-o") { Description = "A name that ends in .gguf for a file that llama.cpp loads beside the model, any other for a folder as PEFT has it; it appears complete or not at all", Required = true };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace the file or adapter folder that is there" };
        ExampleCommand command = new("convert", "Write a LoRA adapter as a GGUF file for llama.cpp, or one of those as a folder.",
            "lorikeet convert models/smollm2 --adapter runs/first/adapter --out first.gguf\nlorikeet convert models/smollm2 --adapter first.gguf --out first")
        {
            model, adapter, output, overwrite,
        };
        command.SetAction(parse => Run(parse.GetRequiredValue(model), parse.GetRequiredValue(adapter), parse.GetRequiredValue(output), parse.GetValue(overwrite), terminal));
        return command;
    }

    private static int Run(string modelName, string adapterPath, string output, bool overwrite, Terminal terminal)
    {
        bool isFile = output.EndsWith(GgufSuffix, StringComparison.OrdinalIgnoreCase);
        ModelFiles files = ModelFiles.Find(modelName);
        Origins.Check(output, within: true, [.. files.IsRandom ? [] : new[] { files.Path }, adapterPath]);
        if (!overwrite && (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())))
            throw new InputException($"{output}: is there already; choose another name, or say --overwrite to replace it");
        if (isFile)
            AtomicFile.Check(output, $"--out {output}");
        else
            AtomicFolder.Check(output, AdapterFile.ConfigName, $"--out {output}");
        Leftovers.Tell(output, terminal);
        using LanguageModel model = files.LoadAnyModel();
        Adapter adapter = GgufAdapterFile.LoadAny(model, adapterPath);
        foreach (string note in adapter.Notes)
            terminal.Error.WriteLine($"note: {note}");
        terminal.Interrupted.ThrowIfCancellationRequested();
        if (isFile)
            GgufAdapterFile.Write(adapter, output);
        else
            AdapterFile.Save(adapter, output, modelName);
        terminal.Out.WriteLine($"{output}: {adapterPath} ({adapter.Method.Type}, {adapter.Parameters.Count} tensors)");
        return ExitCode.Success;
    }
}
