using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Cli.Training;

/// <summary>What is wrong with the parts of a run: each is tried, and the problems of all are told together.</summary>
internal sealed class Problems
{
    private readonly List<string> _all = [];

    /// <summary>True for what a user can mend.</summary>
    public static bool IsInput(Exception error) => error is InputException or TokenizerException or TemplateException;

    /// <summary>True once there is one.</summary>
    public bool Any => _all.Count > 0;

    /// <summary>These, followed by others.</summary>
    public Problems And(Problems others)
    {
        Problems both = new();
        both._all.AddRange([.. _all, .. others._all]);
        return both;
    }

    /// <summary>Adds a problem.</summary>
    public void Add(string problem) => _all.Add(problem);

    /// <summary>What a part gives, or the default with its problem noted.</summary>
    public T? Try<T>(Func<T?> part)
    {
        try
        {
            return part();
        }
        catch (Exception e) when (IsInput(e))
        {
            Add(e.Message);
            return default;
        }
    }

    /// <summary>Notes what a part throws.</summary>
    public void Try(Action part) => Try(() =>
    {
        part();
        return true;
    });

    /// <summary>Throws when there is any problem.</summary>
    /// <exception cref="InputException">With all of them.</exception>
    public void ThrowIfAny()
    {
        if (_all.Count == 1)
            throw new InputException(_all[0]);
        // lists within the list stand further in
        if (_all.Count > 1)
            throw new InputException("the run cannot begin", [.. _all.Select(problem => problem.Replace("\n", "\n    ", StringComparison.Ordinal))]);
    }
}
