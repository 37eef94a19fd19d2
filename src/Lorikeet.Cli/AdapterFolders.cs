using Lorikeet.Inference;
using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>Loads the adapters that a command line names.</summary>
internal static class AdapterFolders
{
    /// <summary>Loads them in order; none acts yet.</summary>
    /// <exception cref="InputException">One or more do not fit; the problems of all are listed.</exception>
    public static Adapter[] Load(LanguageModel model, IReadOnlyList<string> folders, Terminal terminal)
    {
        List<Adapter> adapters = [];
        List<string> problems = [];
        foreach (string folder in folders)
        {
            try
            {
                adapters.Add(GgufAdapterFile.LoadAny(model, folder));
            }
            catch (InputException e)
            {
                problems.Add(e.Message);
            }
        }
        if (problems.Count > 0)
            throw problems.Count == 1 ? new InputException(problems[0]) : new InputException("the adapters cannot be used", problems);
        foreach (string note in adapters.SelectMany(adapter => adapter.Notes))
            terminal.Error.WriteLine($"note: {note}");
        return [.. adapters];
    }
}
