using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;
using Lorikeet.Text;
using Lorikeet.Training;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet quantize</c>: a model in another storage, written a matrix at a time.</summary>
internal static class QuantizeCommand
{
    private const int Window = 512;

    private const int MostTokens = 1 << 16;

    private const string GgufSuffix = ".gguf";

    private static readonly string[] FolderStorages = ["nf4", "nf4-dq", "fp4", "fp4-dq", "int8", "f16", "bf16", "f32"];
    private static readonly string[] GgufStorages = [.. GgufExport.Types.Select(type => WeightStorage.NameOf(type))];

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = CommonOptions.Model();
        Option<string> output = new("--out", "-o") { Description = "The folder to write, or a name that ends in .gguf for one GGUF file; it appears complete or not at all", Required = true };
        Option<string> to = new("--to") { Description = "Storage of the matrices. nf4, fp4 and int8 are those of bitsandbytes, -dq with double quantisation, where embeddings and heads stay as they are; those with a q, and tq, are those of GGUF files", Required = true };
        to.AcceptOneOf([.. FolderStorages.Union(GgufStorages)]);
        Option<string?> data = new("--data") { Description = "A text file in UTF-8; the model's perplexity on its first 65,536 tokens is told before and after" };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace the folder or file if it is there" };
        ExampleCommand command = new("quantize", "Write a model in fewer bits, and say what that costs.",
            "lorikeet quantize models/smollm2 --to nf4-dq --out models/smollm2-nf4\nlorikeet quantize models/smollm2 --to int8 --out models/smollm2-int8 --data held-out.txt\nlorikeet quantize models/smollm2 --to q4_0 --out smollm2.Q4_0.gguf")
        {
            model, output, to, data, overwrite,
        };
        // by each option, so that all problems stand together: a command's own validators would end the parser's work
        model.Validators.Add(result => Try(result, () => ModelFiles.Find(result.GetValueOrDefault<string>())));
        data.Validators.Add(result => Try(result, () => Utf8Input.Open(result.Tokens[0].Value).Dispose(), "--data "));
        output.Validators.Add(result => Try(result, () => CheckPlace(result.GetValue(output), result.GetValue(overwrite))));
        output.Validators.Add(result =>
        {
            // a storage that is none is told of by the option itself
            if (result.GetValue(output) is not { } place || result.GetResult(to)?.Tokens is not [{ Value: var typed }] || WeightStorage.Parse(typed) is not { } type)
                return;
            string storage = WeightStorage.NameOf(type);
            bool isFile = place.EndsWith(GgufSuffix, StringComparison.OrdinalIgnoreCase);
            if (isFile && !GgufStorages.Contains(storage))
                result.AddError($"--to {storage} is written as a folder: give --out a name that does not end in {GgufSuffix}");
            if (!isFile && !FolderStorages.Contains(storage))
                result.AddError($"--to {storage} is written as one GGUF file: give --out a name that ends in {GgufSuffix}");
        });
        command.SetAction(parse => Run(parse.GetRequiredValue(model), parse.GetRequiredValue(output), WeightStorage.Parse(parse.GetRequiredValue(to))!.Value,
            parse.GetValue(data), terminal));
        return command;
    }

    private static void Try(SymbolResult result, Action part, string option = "")
    {
        try
        {
            part();
        }
        catch (InputException e)
        {
            result.AddError(option + e.Message);
        }
        catch (InvalidOperationException)
        {
            // a value that is none: its option has told of it
        }
    }

    private static void CheckPlace(string? output, bool overwrite)
    {
        if (string.IsNullOrEmpty(output))
            return;
        bool isFile = output.EndsWith(GgufSuffix, StringComparison.OrdinalIgnoreCase);
        if (isFile && !overwrite && File.Exists(output))
            throw new InputException($"{output}: is there already; choose another name, or say --overwrite to replace it");
        if (!overwrite && Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new InputException($"{output}: holds something already; choose another folder, or say --overwrite to replace a model folder as a whole");
        if (isFile)
            AtomicFile.Check(output, $"--out {output}");
        else
            AtomicFolder.Check(output, ModelFolder.ConfigName, $"--out {output}");
    }

    private static int Run(string modelName, string output, DType type, string? data, Terminal terminal)
    {
        bool isFile = output.EndsWith(GgufSuffix, StringComparison.OrdinalIgnoreCase);
        ModelFiles files = ModelFiles.Find(modelName);
        if (!files.IsRandom)
            Origins.Check(output, within: isFile, files.Path);
        Leftovers.Tell(output, terminal);
        ExampleSet? text = data is null ? null : Read(data, files.LoadTokenizer());
        using LanguageModel model = files.LoadAnyModel();
        double? before = text is null ? null : Perplexity(model, text, terminal.Interrupted);
        terminal.Interrupted.ThrowIfCancellationRequested();
        terminal.Out.WriteLine("relative error   largest         MB  matrix");
        long bytes = 0;
        ModelText? words = isFile ? null : files.Text();
        List<WeightError> errors = [];
        void Written(WeightError error)
        {
            errors.Add(error);
            bytes += error.Bytes;
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{error.Relative,14:0.000000} {error.Largest,9:0.000000} {error.Bytes / 1e6,10:0.000}  {error.Name} ({WeightStorage.NameOf(error.Type)})"));
        }

        if (isFile)
            GgufModelFile.Write(files, model as CausalLm ?? throw new InputException($"{modelName}: only a model that predicts tokens can be written as a GGUF file"), output, type, Written, terminal.Interrupted);
        else
            ModelFolder.Save(model, files.Path, output, type, written: Written, also: words!.WriteInto, stop: terminal.Interrupted);
        long written = isFile ? new FileInfo(output).Length : Directory.EnumerateFiles(output, "*.safetensors").Sum(file => new FileInfo(file).Length);
        IGrouping<DType, WeightError>[] stored = [.. errors.GroupBy(error => error.Type).OrderByDescending(group => group.Count())];
        if (isFile && stored.Any(group => group.Key != type))
            terminal.Out.WriteLine($"where rows are no whole blocks of {WeightStorage.NameOf(type)}, or errors would reach every token, another storage was taken, as llama.cpp does it");
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{output}: {(stored.Length == 0 ? "0 matrices" : string.Join(", ", stored.Select(group => $"{group.Count()} {(group.Count() == 1 ? "matrix" : "matrices")} as {WeightStorage.NameOf(group.Key)}")))}{(errors.Count == 0 ? "" : $", mean relative error {errors.Average(error => error.Relative):0.000000}")}; {written / 1e6:N1} MB in all"));
        if (before is { } was)
        {
            using LanguageModel after = ModelLoader.LoadAny(output);
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"perplexity on {data}: {was:0.0000} before, {Perplexity(after, text!, terminal.Interrupted):0.0000} after ({text!.TargetTokens:N0} tokens)"));
        }
        if (words?.Missing is { } withoutText)
            terminal.Error.WriteLine($"note: {output} has no tokenizer ({withoutText}); copy the one of the original model into the folder");
        if (isFile && ModelFiles.Find(output).Text().Missing is not null)
            terminal.Error.WriteLine($"note: {output} has no tokenizer, for {modelName} has none, and llama.cpp does not take it so; put the tokenizer's files into the model's folder and write it again");
        return ExitCode.Success;
    }

    // pieces of the running text, each seen alone
    private static ExampleSet Read(string path, Tokenizer tokenizer)
    {
        using Utf8Input text = Utf8Input.Open(path);
        int[] ids = tokenizer.EncodeIds(text.ReadToEnd(), addSpecial: false);
        if (ids.Length < 2)
            throw new InputException($"{path}: has {(ids.Length == 0 ? "no token" : "one token")}, at least two were expected: a perplexity needs something to predict");
        TrainingExample[] pieces = [.. ids.Take(MostTokens).Chunk(Window).Where(piece => piece.Length > 1).Select(TrainingExample.Whole)];
        return ExampleSet.Of(pieces, Packing.None, Window);
    }

    private static double Perplexity(LanguageModel model, ExampleSet text, CancellationToken stop)
    {
        if (model is not CausalLm causal)
            throw new InputException("--data: only a model that predicts tokens has a perplexity");
        using Tape tape = new();
        return Math.Exp(new Evaluation(text, 4).Run(causal, new Step(tape), stop).Loss);
    }
}
