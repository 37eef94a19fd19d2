using System.Text.RegularExpressions;

namespace Lorikeet.Architecture.Tests;

/// <summary>What a clone holds: nothing of the machine that it was made on, nothing too large, and where every reference came from.</summary>
public partial class RepositoryTests
{
    private const long Megabyte = 1 << 20;

    private static readonly string[] Sets =
    [
        .. Repository.Files.Where(file => file.StartsWith("tests/goldens/", StringComparison.Ordinal)).Select(file => file.Split('/')[2]).Distinct(),
    ];

    [Fact]
    public void No_file_names_a_folder_of_somebodys_machine() => Matches(MachinePath()).ShouldBeEmpty();

    [Fact]
    public void No_file_names_the_host_of_a_package_registry() => Matches(RegistryHost()).ShouldBeEmpty();

    [Fact]
    public void A_clone_stays_small()
    {
        Repository.Files.Sum(Repository.Size).ShouldBeLessThan(40 * Megabyte);
        Repository.Files.Where(file => file.StartsWith("tests/goldens/", StringComparison.Ordinal)).Sum(Repository.Size).ShouldBeLessThan(20 * Megabyte);
    }

    [Fact]
    public void Every_set_of_reference_data_says_where_it_is_from_and_under_which_licence()
    {
        string ours = Repository.Read("tests/goldens/README.md");
        List<string> wrong = [];
        foreach (string set in Sets.Where(set => set != "README.md"))
        {
            string folder = $"tests/goldens/{set}/";
            string? note = Repository.Files.FirstOrDefault(file => file == $"{folder}NOTE.md" || file == $"{folder}NOTE");
            if (note is null)
                wrong.Add($"{folder} has no NOTE or NOTE.md");
            else if (!Repository.Files.Any(file => file.StartsWith($"{folder}LICENSE", StringComparison.Ordinal)) && !Licence().IsMatch(Repository.Read(note)) && !ours.Contains($"| {set} |", StringComparison.Ordinal))
                wrong.Add($"{note} names no licence, no LICENSE lies beside it, and tests/goldens/README.md does not list {set} among the numbers computed for this project");
        }
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        List<string> broken = [];
        foreach (string file in Repository.Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal) && !file.StartsWith("tests/goldens/", StringComparison.Ordinal)))
        {
            foreach (Match link in Link().Matches(Repository.Read(file)))
            {
                string target = Path.GetRelativePath(GoldenData.Root, Path.Combine(GoldenData.Root, Path.GetDirectoryName(file)!, link.Groups[1].Value)).Replace('\\', '/');
                if (!Repository.Files.Contains(target) && !Repository.Files.Any(other => other.StartsWith($"{target}/", StringComparison.Ordinal)))
                    broken.Add($"{file}: {link.Value}");
            }
        }
        broken.ShouldBeEmpty();
    }

    [Fact]
    public void No_build_output_is_tracked() =>
        Repository.Files.Where(file => BuildOutput().IsMatch(file)).ShouldBeEmpty();

    private static string[] Matches(Regex pattern) =>
    [
        .. Repository.TextFiles
            .Where(file => !file.EndsWith($"/{nameof(RepositoryTests)}.cs", StringComparison.Ordinal))
            .SelectMany(file => Repository.Lines(file).Select((line, index) => (line, text: $"{file}:{index + 1}: {line.Trim()}")))
            .Where(entry => pattern.IsMatch(entry.line))
            .Select(entry => entry.text),
    ];

    [GeneratedRegex(@"(?<![\w.~<>{}$*-])/(home|root|Users|work)/\w|[A-Z]:\\Users\\")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"(nuget|npmjs|pypi|crates|debian|pythonhosted)\.(org|com|io|net)\b|myget\.org|pkgs\.dev\.azure\.com")]
    private static partial Regex RegistryHost();

    [GeneratedRegex(@"licen[cs]e|Apache-2|public domain|CC0|\bCC[ -]BY|\bMIT\b", RegexOptions.IgnoreCase)]
    private static partial Regex Licence();

    [GeneratedRegex(@"\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(^|/)(bin|obj|TestResults|node_modules)/")]
    private static partial Regex BuildOutput();
}
