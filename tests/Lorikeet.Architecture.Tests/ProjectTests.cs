using System.Xml.Linq;

namespace Lorikeet.Architecture.Tests;

/// <summary>The arrows between the rooms, read from the project files. A new room or a new arrow is entered here and in docs/architecture.md.</summary>
public class ProjectTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Lorikeet.Kernels"] = [],
        ["Lorikeet.Tensors"] = ["Lorikeet.Kernels"],
        ["Lorikeet.Formats"] = ["Lorikeet.Tensors"],
        ["Lorikeet.Text"] = [],
        ["Lorikeet.Nn"] = ["Lorikeet.Tensors"],
        ["Lorikeet.Models"] = ["Lorikeet.Formats", "Lorikeet.Nn"],
        ["Lorikeet.Peft"] = ["Lorikeet.Formats", "Lorikeet.Nn"],
        ["Lorikeet.Training"] = ["Lorikeet.Formats", "Lorikeet.Models", "Lorikeet.Nn", "Lorikeet.Text"],
        ["Lorikeet.Inference"] = ["Lorikeet.Models", "Lorikeet.Peft", "Lorikeet.Text"],
        ["Lorikeet.Cli"] = ["Lorikeet.Inference", "Lorikeet.Peft", "Lorikeet.Training"],
    };

    public static TheoryData<string> Rooms => [.. Repository.Projects("src")];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_exactly_the_rooms_below_it(string room)
    {
        Arrows.ShouldContainKey(room, "a new room states its arrows in this table");
        References(room).ShouldBe(Arrows[room]);
    }

    [Theory]
    [InlineData("Lorikeet.Training", "Lorikeet.Peft")]
    [InlineData("Lorikeet.Peft", "Lorikeet.Models")]
    [InlineData("Lorikeet.Peft", "Lorikeet.Training")]
    [InlineData("Lorikeet.Models", "Lorikeet.Peft")]
    [InlineData("Lorikeet.Formats", "Lorikeet.Text")]
    public void Not_even_by_way_of_others_does_one_room_see_another(string room, string other) =>
        Reachable(room).ShouldNotContain(other);

    [Fact]
    public void No_arrow_leads_back()
    {
        foreach (string room in Repository.Projects("src"))
            Reachable(room).ShouldNotContain(room);
    }

    [Fact]
    public void Every_room_has_a_test_project()
    {
        string[] without = [.. Repository.Projects("src").Where(room => !Repository.Projects("tests").Contains($"{room}.Tests"))];
        without.ShouldBeEmpty();
    }

    [Fact]
    public void Every_test_project_has_tests()
    {
        string[] empty =
        [
            .. Repository.Projects("tests").Where(project => !Repository.CodeFiles($"tests/{project}")
                .Any(file => Repository.Lines(file).Any(line => line.TrimStart().StartsWith("[Fact", StringComparison.Ordinal) || line.TrimStart().StartsWith("[Theory", StringComparison.Ordinal)))),
        ];
        Assert.SkipWhen(empty.Length > 0, $"still without a test: {string.Join(", ", empty)}");
    }

    [Fact]
    public void Every_project_is_in_the_solution_and_has_a_lock_file()
    {
        string solution = Repository.Read("Lorikeet.slnx");
        string[] projects = [.. Repository.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))];
        projects.Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)).ShouldBeEmpty();
        projects.Where(project => !Repository.Files.Contains($"{Path.GetDirectoryName(project)!.Replace('\\', '/')}/packages.lock.json")).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_keeps_the_shared_settings(string room)
    {
        string[] own = ["NoWarn", "TreatWarningsAsErrors", "WarningsNotAsErrors", "Nullable", "TargetFramework", "LangVersion", "GenerateDocumentationFile", "RunAnalyzers"];
        Repository.ProjectFile(room).Descendants().Select(element => element.Name.LocalName).Intersect(own).ShouldBeEmpty();
    }

    [Fact]
    public void A_package_version_is_stated_in_one_place()
    {
        foreach (string project in Repository.Projects("src").Concat(Repository.Projects("tests")))
            Repository.ProjectFile(project).Descendants("PackageReference").Attributes("Version").ShouldBeEmpty(project);
    }

    private static string[] References(string project) =>
    [
        .. Repository.ProjectFile(project).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')))
            .Order(StringComparer.Ordinal),
    ];

    private static HashSet<string> Reachable(string project)
    {
        HashSet<string> seen = [];
        Queue<string> open = new([project]);
        while (open.TryDequeue(out string? next))
        {
            foreach (string reference in References(next))
            {
                if (seen.Add(reference))
                    open.Enqueue(reference);
            }
        }
        return seen;
    }
}
