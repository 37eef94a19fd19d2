using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>What is wrong with a recipe, told in the order of the file, options of the command line last.</summary>
internal sealed class RecipeProblems
{
    private readonly List<(RecipeLocation Place, string Text)> _problems = [];

    /// <summary>Problems so far.</summary>
    public int Count => _problems.Count;

    /// <summary>Adds a problem.</summary>
    public void Add(RecipeLocation place, string problem) => _problems.Add((place, problem));

    /// <summary>Throws when there is any problem.</summary>
    /// <exception cref="InputException">With all of them.</exception>
    public void ThrowIfAny(string subject)
    {
        ProblemList list = new(shown: 50);
        foreach ((RecipeLocation place, string text) in _problems.OrderBy(p => p.Place.Line == 0).ThenBy(p => p.Place.Line).ThenBy(p => p.Place.Column))
            list.Add($"{place}: {text}");
        list.ThrowIfAny(subject);
    }
}
