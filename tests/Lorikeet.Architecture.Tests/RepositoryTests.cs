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
        List<string> wrong = [];
        foreach (string set in Sets)
        {
            string folder = $"tests/goldens/{set}/";
            string? note = Repository.Files.FirstOrDefault(file => file == $"{folder}NOTE.md" || file == $"{folder}NOTE");
            if (note is null)
                wrong.Add($"{folder} has no NOTE or NOTE.md");
            else if (!Repository.Files.Any(file => file.StartsWith($"{folder}LICENSE", StringComparison.Ordinal)) && !Licence().IsMatch(Repository.Read(note)))
                wrong.Add($"{note} names no licence, and no LICENSE lies beside it");
        }
        wrong.ShouldBeEmpty();
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

    [GeneratedRegex("licen[cs]e|Apache-2|public domain|CC0", RegexOptions.IgnoreCase)]
    private static partial Regex Licence();

    [GeneratedRegex(@"(^|/)(bin|obj|TestResults|node_modules)/")]
    private static partial Regex BuildOutput();
}
