using System.Text;
using System.Text.Json;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

public class HubListingTests
{
    private static readonly string Commit = new('a', 40);

    [Fact]
    public void Names_sizes_and_digests_are_read_in_the_order_of_names()
    {
        string sha = new('1', 64), blob = new('2', 40);
        HubListing listing = Read($$"""
            {"sha": "{{Commit}}", "siblings": [
              {"rfilename": "w.safetensors", "size": 130, "blobId": "{{blob}}", "lfs": {"sha256": "{{sha}}", "size": 5000000000} },
              {"rfilename": "a/config.json", "size": 12, "blobId": "{{blob}}"},
              {"rfilename": "plain"}]}
            """);
        listing.Entries.ShouldBe([new HubEntry("a/config.json", 12, blob), new HubEntry("plain", null, null), new HubEntry("w.safetensors", 5_000_000_000, sha)]);
    }

    [Fact]
    public void Names_that_lead_out_of_the_folder_are_refused_all_at_once()
    {
        string[] names = ["../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "", "a/", @"a\b", "..", "a\nb", new string('x', 300)];
        string json = JsonSerializer.Serialize(new { sha = Commit, siblings = names.Append("good.json").Select(name => new { rfilename = name }) });
        InputException error = Should.Throw<InputException>(() => Read(json));
        error.Problems.Count.ShouldBe(names.Length);
        error.Message.ShouldContain("'../x'");
        error.Message.ShouldNotContain("good.json");
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"sha": "../../x", "siblings": []}""")]
    [InlineData("""{"sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "siblings": {}}""")]
    [InlineData("""{"sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "siblings": [1, null]}""")]
    public void Anything_else_is_refused(string json) => Should.Throw<InputException>(() => Read(json));

    [Fact]
    public void A_pinned_commit_must_be_the_one_that_answers() =>
        Should.Throw<InputException>(() => HubListing.Read(Encoding.UTF8.GetBytes($$"""{"sha": "{{Commit}}", "siblings": []}"""), HubRepository.Create("a/b", new string('b', 40)), "there"));

    private static HubListing Read(string json) => HubListing.Read(Encoding.UTF8.GetBytes(json), HubRepository.Parse("a/b"), "there");
}
