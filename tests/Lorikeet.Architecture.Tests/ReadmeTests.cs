namespace Lorikeet.Architecture.Tests;

/// <summary>What the README shows is what the repository holds.</summary>
public class ReadmeTests
{
    [Fact]
    public void The_sample_in_the_readme_is_the_one_that_is_compiled()
    {
        string sample = Lines(Repository.Read("samples/Lorikeet.Sample/Program.cs"));
        Lines(Repository.Read("README.md")).ShouldContain("```csharp\n" + sample + "\n```");
    }

    [Fact]
    public void Every_file_that_the_documents_name_is_there()
    {
        HashSet<string> files = [.. Repository.Files], names = [.. Repository.Files.Select(file => Path.GetFileName(file))];
        List<string> missing = [];
        foreach (string document in (string[])["README.md", "docs/architecture.md", "docs/recipes.md"])
        {
            foreach (string word in Repository.Read(document).Split('`').Where((_, i) => i % 2 == 1))
            {
                bool isPath = word.StartsWith("src/", StringComparison.Ordinal) || word.StartsWith("tests/", StringComparison.Ordinal);
                bool known = isPath
                    ? files.Contains(word) || files.Any(file => file.StartsWith(word.TrimEnd('/') + "/", StringComparison.Ordinal))
                    : names.Contains(Path.GetFileName(word));
                if ((isPath || word.EndsWith(".cs", StringComparison.Ordinal)) && !word.Contains('*') && !word.Contains(' ') && !word.Contains("NAME", StringComparison.Ordinal) && !known)
                    missing.Add($"{document}: {word}");
            }
        }
        missing.ShouldBeEmpty();
    }

    private static string Lines(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\n');
}
