using System.Text.RegularExpressions;

namespace Lorikeet.Architecture.Tests;

/// <summary>The rules that every source file keeps, checked on its text.</summary>
public partial class SourceCodeTests
{
    private const int MaximumLines = 600;

    [Fact]
    public void No_file_is_longer_than_600_lines() =>
        Repository.CodeFiles("src", "bench", "samples")
            .Select(file => (File: file, Lines: Repository.Lines(file).Length))
            .Where(entry => entry.Lines > MaximumLines)
            .Select(entry => $"{entry.File}: {entry.Lines} lines")
            .ShouldBeEmpty("a file of this length wants to be a folder of its own");

    [Fact]
    public void A_file_is_named_after_the_type_that_it_offers()
    {
        List<string> wrong = [];
        foreach (string file in Repository.CodeFiles("src", "tests", "bench"))
        {
            (bool Public, string Name)[] types = [.. Repository.Lines(file).Select(line => Type().Match(line)).Where(match => match.Success).Select(Declared)];
            string name = Path.GetFileName(file).Split('.')[0];
            bool offers = Array.Exists(types, type => type.Public);
            // a file of internal types may be named after their family: GemmLanes for IGemmLanes and what implements it
            if (types.Length > 0 && !Array.Exists(types, type => offers ? type.Public && type.Name == name : type.Name.Contains(name, StringComparison.Ordinal)))
                wrong.Add($"{file} offers {string.Join(", ", types.Select(type => type.Name))}");
        }
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void A_namespace_is_the_project_or_a_room_in_it()
    {
        List<string> wrong = [];
        foreach (string file in Repository.CodeFiles("src", "tests"))
        {
            string[] parts = file.Split('/');
            if (parts.Length < 3)
                continue;
            string project = parts[1];
            string? name = Repository.Lines(file).Select(line => Namespace().Match(line)).FirstOrDefault(match => match.Success)?.Groups[1].Value;
            if (name is not null && name != project && !(parts.Length > 3 && name == $"{project}.{parts[2]}"))
                wrong.Add($"{file}: {name}");
        }
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void A_name_says_what_a_thing_is() =>
        Repository.CodeFiles("src", "tests", "bench")
            .SelectMany(file => Repository.Lines(file).Select(line => Type().Match(line)).Where(match => match.Success).Select(match => (file, Declared(match).Name)))
            .Where(type => Vague().IsMatch(type.Name))
            .Select(type => $"{type.file}: {type.Name}")
            .ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_half_done() =>
        Matches(HalfDone(), "src", "tests", "bench", "samples").ShouldBeEmpty();

    [Fact]
    public void No_test_is_switched_off() =>
        Matches(SwitchedOff(), "tests").ShouldBeEmpty();

    [Fact]
    public void No_warning_about_missing_documentation_is_silenced() =>
        Matches(SilencedDocumentation(), "src").ShouldBeEmpty();

    [Fact]
    public void Unsafe_code_stays_in_the_kernels_and_the_memory_below_the_tensors()
    {
        string[] rooms = ["Lorikeet.Bench", "Lorikeet.Kernels", "Lorikeet.Kernels.Tests", "Lorikeet.Tensors", "Lorikeet.Tensors.Tests", "Lorikeet.Bench"];
        string[] projects = [.. Repository.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) || file.EndsWith(".props", StringComparison.Ordinal))];
        projects.Where(file => !rooms.Contains(Path.GetFileNameWithoutExtension(file)))
            .Where(file => Repository.Read(file).Contains("AllowUnsafeBlocks", StringComparison.Ordinal))
            .ShouldBeEmpty();
        Matches(Unsafe(), "src", "tests", "samples").Where(found => !rooms.Contains(found.Split('/')[1])).ShouldBeEmpty();
    }

    private static string[] Matches(Regex pattern, params string[] folders) =>
    [
        .. Repository.CodeFiles(folders)
            .Where(file => !file.EndsWith($"/{nameof(SourceCodeTests)}.cs", StringComparison.Ordinal))
            .SelectMany(file => Repository.Lines(file).Select((line, index) => (line, text: $"{file}:{index + 1}: {line.Trim()}")))
            .Where(entry => pattern.IsMatch(entry.line))
            .Select(entry => entry.text),
    ];

    private static (bool Public, string Name) Declared(Match match) => (match.Groups["public"].Success, match.Groups["name"].Value);

    [GeneratedRegex(@"^(?:\[[^\]]*\] *)?(?:(?<public>public)|internal|file)?(?: ?\b(?:static|sealed|abstract|partial|readonly|ref|unsafe))* ?\b(?:(?:record struct|record class|record|class|struct|interface|enum)|delegate [\w<>?\[\],* ]+?) (?<name>\w+)\b")]
    private static partial Regex Type();

    [GeneratedRegex(@"^namespace ([\w.]+);")]
    private static partial Regex Namespace();

    [GeneratedRegex("(Manager|Helpers?|Utils?|Utility|Utilities|Base|Impl)$")]
    private static partial Regex Vague();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex HalfDone();

    [GeneratedRegex(@"\bSkip *= *""|Explicit *= *true")]
    private static partial Regex SwitchedOff();

    [GeneratedRegex(@"CS1591|CS1573|SuppressMessage.*Documentation")]
    private static partial Regex SilencedDocumentation();

    [GeneratedRegex(@"^[^/""]*\bunsafe\b|System\.Runtime\.CompilerServices\.Unsafe\b|\bUnsafe\.(As|Add|Read|Write|Copy|SkipInit|AsRef)\b|\bMemoryMarshal\.(GetReference|CreateSpan|CreateReadOnlySpan|GetArrayDataReference)\b")]
    private static partial Regex Unsafe();
}
