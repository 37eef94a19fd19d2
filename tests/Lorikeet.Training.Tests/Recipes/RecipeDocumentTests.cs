using System.Reflection;

namespace Lorikeet.Training.Tests;

/// <summary>The page about recipes and the recipes of the samples say what the code reads.</summary>
public sealed class RecipeDocumentTests
{
    [Fact]
    public void The_page_shows_every_key_and_no_other()
    {
        string[] blocks = File.ReadAllText(Path.Combine(GoldenData.Root, "docs", "training.md")).Split("```yaml\n")[1..];
        blocks.Length.ShouldBe(2);
        foreach (string block in blocks)
        {
            RecipeProblems problems = new();
            RecipeNode root = RecipeParser.Parse(block[..block.IndexOf("```", StringComparison.Ordinal)], "docs/training.md", problems)!;
            new RecipeBinder(problems).Bind<Recipe>(root);
            problems.ThrowIfAny("docs/training.md");
            if (block == blocks[^1])
                Missing(root, typeof(Recipe), "").ShouldBeEmpty();
        }
    }

    [Fact]
    public void Recipes_of_the_samples_are_read()
    {
        string[] files = Directory.GetFiles(Path.Combine(GoldenData.Root, "samples", "recipes"), "*.yaml");
        files.ShouldNotBeEmpty();
        foreach (string file in files)
        {
            RecipeProblems problems = new();
            RecipeNode root = RecipeParser.Parse(File.ReadAllText(file), file, problems)!;
            Recipe recipe = new RecipeBinder(problems).Bind<Recipe>(root);
            problems.ThrowIfAny(file);
            foreach (DataSource source in recipe.Data.Train.Concat(recipe.Data.Eval).Where(_ => GoldenData.HasShared))
                File.Exists(Path.Combine(GoldenData.Root, source.Path)).ShouldBeTrue(source.Path);
        }
    }

    private static IEnumerable<string> Missing(RecipeNode? node, Type section, string path)
    {
        if (node is { Kind: RecipeNodeKind.List, Items: [{ } first, ..] })
            node = first;
        foreach ((string key, PropertyInfo property) in RecipeNames.KeysOf(section))
        {
            if (property.IsDefined(typeof(RestAttribute)))
                continue;
            if (node?[key] is not { } value)
            {
                yield return path + key;
                continue;
            }
            Type type = property.PropertyType;
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
                type = type.GetGenericArguments()[0];
            // what a file to evaluate on may say is shown once, under train
            if (type.IsClass && type != typeof(string) && value.Kind != RecipeNodeKind.Scalar)
            {
                foreach (string missing in Missing(value, type, path + key + "."))
                    yield return missing;
            }
        }
    }
}
