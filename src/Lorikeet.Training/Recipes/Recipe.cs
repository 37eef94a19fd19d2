using System.ComponentModel.DataAnnotations;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>
/// What a training run is made from: one YAML file, or options set in code. Keys are the names of the properties in lower case with
/// underscores; every key that is not known is an error. Paths are relative to the current folder.
/// </summary>
public sealed record Recipe
{
    /// <summary>The model to train.</summary>
    [Required]
    public ModelOptions Model { get; init; } = new();

    /// <summary>What is trained: an adapter, or everything.</summary>
    public AdapterOptions Adapter { get; init; } = new();

    /// <summary>What it learns from.</summary>
    [Required]
    public DataOptions Data { get; init; } = new();

    /// <summary>How it learns.</summary>
    public TrainingOptions Training { get; init; } = new();

    /// <summary>What it is asked before and after, for the report.</summary>
    public SampleOptions Samples { get; init; } = new();

    /// <summary>The folder that receives adapter, checkpoints, metrics and report; <c>runs/</c> and the recipe's name when not given.</summary>
    public string Output { get; init; } = "";

    /// <summary>Reads a recipe file.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="overrides"><c>section.key=value</c>, checked like the file and winning over it.</param>
    /// <exception cref="InputException">With every problem of the file and of the overrides, each with its place.</exception>
    public static Recipe Load(string path, params IReadOnlyList<string> overrides) => Load(path, overrides, _ => []);

    /// <summary>Reads a recipe file whose adapter somebody else understands.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="overrides"><c>section.key=value</c>, checked like the file and winning over it.</param>
    /// <param name="checkAdapter">What is wrong with the adapter's section, each problem with the key that it is about; told among all others, with their places.</param>
    /// <exception cref="InputException">With every problem of the file and of the overrides, each with its place.</exception>
    public static Recipe Load(string path, IReadOnlyList<string> overrides, Func<AdapterOptions, IEnumerable<(string Key, string Problem)>> checkAdapter)
    {
        ArgumentNullException.ThrowIfNull(overrides);
        ArgumentNullException.ThrowIfNull(checkAdapter);
        if (!File.Exists(path))
        {
            throw new InputException(Directory.Exists(path)
                ? $"{path}: found a folder, expected a recipe file (YAML). Name the file itself."
                : $"{path}: no such file; expected a recipe (YAML). The current folder is {Directory.GetCurrentDirectory()}.");
        }
        string text;
        try
        {
            text = File.ReadAllText(path, Utf8Text.Strict);
        }
        catch (System.Text.DecoderFallbackException)
        {
            throw new InputException($"{path}: found bytes that are not UTF-8, expected a recipe (YAML) in UTF-8. Save it as UTF-8.");
        }
        return Parse(text, path, overrides, checkAdapter);
    }

    /// <summary>Reads a recipe from text.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="source">The name that problems give to the text.</param>
    /// <param name="overrides"><c>section.key=value</c>, checked like the text and winning over it.</param>
    /// <exception cref="InputException">With every problem of the text and of the overrides, each with its place.</exception>
    public static Recipe Parse(string text, string source, params IReadOnlyList<string> overrides) => Parse(text, source, overrides, _ => []);

    private static Recipe Parse(string text, string source, IReadOnlyList<string> overrides, Func<AdapterOptions, IEnumerable<(string Key, string Problem)>> checkAdapter)
    {
        RecipeProblems problems = new();
        RecipeNode root = ParseNode(text, source);
        foreach (string option in overrides)
            RecipeOverride.Apply(root, option, problems);
        Recipe recipe = new RecipeBinder(problems).Bind<Recipe>(root);
        new RecipeChecks(recipe, root, problems).Run();
        foreach ((string key, string problem) in checkAdapter(recipe.Adapter))
            problems.Add(recipe.Adapter.Options.LocationOf(key.Split('.')[0]), $"adapter.{key}: {problem}{(problem[^1] is '?' or '.' ? "" : ".")}");
        problems.ThrowIfAny(source);
        return recipe.Output.Length > 0 ? recipe : recipe with { Output = Path.Combine("runs", Path.GetFileNameWithoutExtension(source)) };
    }

    /// <summary>What stands in a recipe, whether or not it has sense.</summary>
    /// <exception cref="InputException">It is not YAML.</exception>
    internal static RecipeNode ParseNode(string text, string source)
    {
        RecipeProblems problems = new();
        RecipeNode? root = RecipeParser.Parse(text, source, problems);
        problems.ThrowIfAny(source);
        return root!;
    }

    /// <summary>The whole recipe as YAML, defaults included; reading it gives the same recipe.</summary>
    public string ToYaml() => RecipeWriter.Write(this);
}
