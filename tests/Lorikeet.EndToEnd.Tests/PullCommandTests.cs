using System.Text.Json.Nodes;
using Lorikeet.Cli.Tests;
using Lorikeet.Formats.Tests;

namespace Lorikeet.EndToEnd.Tests;

/// <summary><c>lorikeet pull</c> against a stand-in of the hub on the loopback interface.</summary>
public sealed class PullCommandTests : IDisposable
{
    private readonly string _cache = Directory.CreateTempSubdirectory("lorikeet-pull-").FullName;
    private readonly HubStandIn _hub = new();

    public PullCommandTests()
    {
        _hub.Small["config.json"] = "{}"u8.ToArray();
        _hub.Small["README.md"] = "# Birds"u8.ToArray();
        _hub.Large["model.safetensors"] = HubStandIn.Bytes(100_000);
    }

    [Fact]
    public void A_repository_comes_once_and_is_found_afterwards()
    {
        CommandRun first = Pull();
        string folder = first.Output.TrimEnd('\n');
        File.ReadAllBytes(Path.Combine(folder, "model.safetensors")).ShouldBe(_hub.Large["model.safetensors"]);
        first.Error.ShouldContain("model.safetensors: 100000 bytes");
        int downloads = _hub.Downloads;
        Pull().Output.ShouldBe(first.Output);
        _hub.Downloads.ShouldBe(downloads);
    }

    [Fact]
    public void Patterns_choose_files_and_JSON_tells_which()
    {
        JsonNode json = JsonNode.Parse(Pull("--include", "*.json", "--include", "*.md", "--exclude", "README*", "--json").Output)!;
        json["files"]!.ToJsonString().ShouldBe("[\"config.json\"]");
        ((string)json["commit"]!).ShouldBe(_hub.Commit);
        ((int)json["downloaded"]!).ShouldBe(2);
    }

    [Fact]
    public void What_cannot_be_had_exits_with_2_and_says_why()
    {
        CommandRun unknown = CommandRun.Of("pull", "birds/unknown", "--endpoint", _hub.Address.ToString(), "--cache", _cache);
        unknown.Code.ShouldBe(2);
        unknown.Error.ShouldContain("birds/unknown");
        CommandRun twice = CommandRun.Of("pull", $"{HubStandIn.Id}@main", "--revision", "v2", "--endpoint", _hub.Address.ToString(), "--cache", _cache);
        twice.Code.ShouldBe(2);
    }

    public void Dispose()
    {
        _hub.Dispose();
        Directory.Delete(_cache, recursive: true);
    }

    private CommandRun Pull(params string[] options) =>
        CommandRun.Of(["pull", HubStandIn.Id, "--endpoint", _hub.Address.ToString(), "--cache", _cache, .. options]).Succeeded();
}
