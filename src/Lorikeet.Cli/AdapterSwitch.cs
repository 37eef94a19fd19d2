using Lorikeet.Models;
using Lorikeet.Peft;
using Lorikeet.Tensors;

namespace Lorikeet.Cli;

/// <summary>Several adapters of one model, of which one or none acts.</summary>
internal sealed class AdapterSwitch
{
    /// <summary>The name of the bare model.</summary>
    public const string None = "none";

    private readonly Dictionary<string, Adapter> _adapters = new(StringComparer.Ordinal);

    /// <summary>Loads the adapters; the first one acts.</summary>
    /// <param name="model">The base.</param>
    /// <param name="named">NAME=DIR, or DIR alone, which is called like the folder.</param>
    /// <param name="terminal">Hears remarks.</param>
    /// <exception cref="InputException">Names or folders cannot be used; all problems are listed.</exception>
    public AdapterSwitch(CausalLm model, IReadOnlyList<string> named, Terminal terminal)
    {
        (string Name, string Folder)[] pairs = [.. named.Select(Split)];
        string[] wrong =
        [
            .. pairs.Where(pair => pair.Name is "" or None).Select(pair => $"--adapter {pair.Name}={pair.Folder}: a name was expected, other than {None}"),
            .. pairs.Where(pair => pair.Folder.Length == 0).Select(pair => $"--adapter {pair.Name}=: a folder was expected"),
            .. pairs.GroupBy(pair => pair.Name).Where(group => group.Count() > 1).Select(group => $"--adapter {group.Key}: the name is given {group.Count()} times"),
        ];
        if (wrong.Length > 0)
            throw new InputException("the adapters cannot be used", wrong);
        Adapter[] loaded = AdapterFolders.Load(model, [.. pairs.Select(pair => pair.Folder)], terminal);
        for (int i = 0; i < pairs.Length; i++)
            _adapters.Add(pairs[i].Name, loaded[i]);
        if (pairs.Length > 0)
            To(pairs[0].Name);
    }

    /// <summary>What can be switched to.</summary>
    public IEnumerable<string> Names => _adapters.Keys.Append(None);

    /// <summary>The one that acts, or null.</summary>
    public string? Active { get; private set; }

    /// <summary>Lets another one act, or none.</summary>
    /// <returns>False where there is none of that name; then nothing changes.</returns>
    public bool To(string name)
    {
        if (name != None && !_adapters.ContainsKey(name))
            return false;
        if (Active is not null)
            _adapters[Active].Detach();
        Active = name == None ? null : name;
        if (Active is not null)
            _adapters[Active].Attach();
        return true;
    }

    private static (string Name, string Folder) Split(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (Path.GetFileName(Path.TrimEndingDirectorySeparator(text)), text) : (text[..equals].Trim(), text[(equals + 1)..]);
    }
}
