using System.CommandLine;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet forward</c>: one pass, with everything that another program can be compared by.</summary>
internal static class ForwardCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> model = CommonOptions.Model();
        Argument<string> inputs = new("INPUTS") { Description = "A safetensors file with input_ids [batch, seq], and where wanted attention_mask and labels (of a classifier of texts: [batch], or [batch, labels])" };
        Option<string> output = new("--out", "-o") { Description = "The safetensors file to write: logits [batch, seq, vocabulary], rows of padding zero; of a classifier [batch, labels] or [batch, seq, labels]", Required = true };
        Option<bool> hidden = new("--hidden-states") { Description = "Write hidden_states.0 (embeddings), hidden_states.N (after block N - 1) and last_hidden_state" };
        Option<bool> loss = new("--loss") { Description = "Write loss: the mean over all labels" };
        Option<bool> gradients = new("--gradients") { Description = "Write grad.NAME of every weight; with adapters, of every tensor of theirs" };
        Option<string[]> adapters = new("--adapter") { Description = "An adapter folder; repeated, they act one upon the other", HelpName = "DIR" };
        Option<bool> merged = new("--merged") { Description = "Merge the adapters into the weights first; --gradients then speaks of the weights" };
        ExampleCommand command = new("forward", "Run one forward pass and write what it computes, to hold against another program's numbers.",
            "lorikeet forward models/smollm2 batch.safetensors --out logits.safetensors --loss\nlorikeet forward models/smollm2 batch.safetensors --out out.safetensors --adapter out/adapter --gradients")
        {
            model, inputs, output, adapters, merged, hidden, loss, gradients,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(merged) && result.GetValue(adapters) is null or [])
                result.AddError("--merged: there is nothing to merge without --adapter");
        });
        command.SetAction(parse =>
        {
            ForwardOptions options = new() { HiddenStates = parse.GetValue(hidden), Loss = parse.GetValue(loss), Gradients = parse.GetValue(gradients) };
            return Run(parse.GetRequiredValue(model), parse.GetValue(adapters) ?? [], parse.GetValue(merged), parse.GetRequiredValue(inputs), parse.GetRequiredValue(output), options, terminal);
        });
        return command;
    }

    private static int Run(string modelName, string[] folders, bool merged, string inputFile, string outputFile, ForwardOptions options, Terminal terminal)
    {
        AtomicFile.Check(outputFile, $"--out {outputFile}");
        // a pass may take minutes and leaves nothing behind: nobody who has had enough waits for its end
        IReadOnlyList<StoredTensor> results = Task.Run(() => Pass(modelName, folders, merged, inputFile, options, terminal), terminal.Interrupted).WaitAsync(terminal.Interrupted).GetAwaiter().GetResult();
        SafetensorsWriter.Write(outputFile, results.Select(tensor => new SafetensorsEntry(tensor)), SafetensorsWriter.TorchFormat);
        terminal.Error.WriteLine($"{outputFile}: {results.Count} tensors");
        return ExitCode.Success;
    }

    private static IReadOnlyList<StoredTensor> Pass(string modelName, string[] folders, bool merged, string inputFile, ForwardOptions options, Terminal terminal)
    {
        using LanguageModel model = ModelFiles.Find(modelName).LoadAnyModel();
        using ITensorSource source = TensorFiles.Open(inputFile);
        ForwardInputs inputs = ForwardInputs.Read(source, model);
        Adapter[] adapters = AdapterFolders.Load(model, folders, terminal);
        foreach (Adapter adapter in adapters)
        {
            if (merged)
                adapter.Merge();
            else
                adapter.Attach();
        }
        Parameter[] trained = adapters.Length == 0 || merged ? [.. model.Parameters] : [.. adapters.SelectMany(adapter => adapter.Parameters)];
        if (options.Gradients && trained.Select(parameter => parameter.Name).Distinct().Count() != trained.Length)
            throw new InputException("--gradients: several adapters hold tensors of the same name; ask for one adapter at a time");
        return ForwardPass.Run(model, inputs, options, trained);
    }
}
