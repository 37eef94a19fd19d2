using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

/// <summary>Who sees the token, where redirects lead, and what is said when a server refuses.</summary>
public sealed class HubConnectionTests : IDisposable
{
    private const string Token = "hf_very_secret";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-hub-");
    private readonly HubStandIn _hub = new();

    public HubConnectionTests()
    {
        _hub.Small["config.json"] = [1];
        _hub.Large["model.safetensors"] = HubStandIn.Bytes(1000);
    }

    public void Dispose()
    {
        _hub.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_token_goes_to_the_endpoint_and_never_to_another_host()
    {
        await Pull(Token);
        _hub.Calls.ShouldAllBe(call => call.Header("Authorization") == $"Bearer {Token}");
        _hub.Storage!.Calls.Length.ShouldBe(1);
        _hub.Storage.Calls.ShouldAllBe(call => call.Header("Authorization") == null);
    }

    [Fact]
    public async Task Without_a_token_none_is_sent()
    {
        await Pull(null);
        _hub.Calls.ShouldAllBe(call => call.Header("Authorization") == null);
    }

    [Fact]
    public async Task A_redirect_on_the_same_host_keeps_the_token()
    {
        _hub.Change = (call, _) => call.Path.StartsWith("/old/", StringComparison.Ordinal) || call.Path.StartsWith("/api/models/old/", StringComparison.Ordinal)
            ? new HubReply(307) { Headers = new Dictionary<string, string> { ["Location"] = call.Path.Replace("old/name", HubStandIn.Id, StringComparison.Ordinal) + "?" + call.Query } }
            : null;
        await Pull(Token, "old/name");
        _hub.Calls.Length.ShouldBe(10); // list, two descriptions and two files, each by way of the old name
        _hub.Calls.ShouldAllBe(call => call.Header("Authorization") == $"Bearer {Token}");
    }

    [Fact]
    public async Task A_description_elsewhere_on_the_same_host_is_followed()
    {
        _hub.Change = (call, reply) => call.Path.EndsWith("config.json", StringComparison.Ordinal) && call.Query.Length == 0
            ? new HubReply(307) { Headers = new Dictionary<string, string> { ["Location"] = $"{call.Path}?cached=1", ["X-Repo-Commit"] = _hub.Commit } }
            : null;
        (await Pull(Token)).Files.ShouldContain("config.json");
    }

    [Fact]
    public async Task Redirects_in_a_circle_end()
    {
        _hub.Change = (call, _) => new HubReply(302) { Headers = new Dictionary<string, string> { ["Location"] = call.Path } };
        (await Should.ThrowAsync<InputException>(() => Pull(Token))).Message.ShouldContain("10 redirects");
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/hostname")]
    public async Task A_redirect_to_anything_but_the_web_is_refused(string location)
    {
        _hub.Change = (_, _) => new HubReply(302) { Headers = new Dictionary<string, string> { ["Location"] = location } };
        (await Should.ThrowAsync<InputException>(() => Pull(Token))).Message.ShouldContain("refused");
    }

    [Theory]
    [InlineData("http://hub.test/elsewhere", 1)]
    [InlineData("https://other.test/elsewhere", 2)]
    [InlineData("https://hub.test:8443/elsewhere", 2)]
    public async Task A_secure_connection_is_never_left_and_another_port_is_another_host(string location, int requests)
    {
        Carrier carrier = new(new Uri(location));
        using HubClient client = new(new HubOptions { Endpoint = new Uri("https://hub.test"), CacheFolder = _folder.FullName, Token = Token, Carrier = carrier });
        await Should.ThrowAsync<InputException>(() => client.PullAsync(new HubRequest(HubRepository.Parse(HubStandIn.Id)), null));
        carrier.Requests.Count.ShouldBe(requests);
        carrier.Requests[0].Token.ShouldBe(Token);
        carrier.Requests.Skip(1).ShouldAllBe(request => request.Token == null && request.Address == new Uri(location));
    }

    [Fact]
    public async Task A_refusal_says_what_to_do_and_never_the_token()
    {
        (string Message, string[] Words)[] cases =
        [
            (await Refused(401, "RepoNotFound", null), ["does not exist, or is private", "set HF_TOKEN"]),
            (await Refused(401, "RepoNotFound", Token), ["does not exist, or is private", "token that is set"]),
            (await Refused(401, "GatedRepo", null), ["gated", "ask for access", $"{_hub.Address}{HubStandIn.Id}", "set HF_TOKEN"]),
            (await Refused(403, "GatedRepo", Token), ["gated", "has not been granted access yet"]),
            (await Refused(403, "", Token), ["403", "may not read it"]),
            (await Refused(404, "RevisionNotFound", null), ["no revision 'main'"]),
            (await Refused(404, "", null), ["404", "HF_ENDPOINT"]),
            (await Refused(418, "", null), ["418"]),
        ];
        foreach ((string message, string[] words) in cases)
        {
            foreach (string word in words)
                message.ShouldContain(word);
            message.ShouldContain("the words of the server");
            message.ShouldNotContain(Token);
        }
    }

    [Fact]
    public async Task All_files_that_fail_are_named_and_the_same_reason_once()
    {
        foreach (int i in Enumerable.Range(1, 6))
            _hub.Small[$"part-{i}.bin"] = [(byte)i];
        _hub.Change = (call, _) => call.Method != "HEAD" ? null
            : call.Path.Contains("part-", StringComparison.Ordinal) ? HubStandIn.Refuse(403, "GatedRepo", "ask first")
            : call.Path.EndsWith("config.json", StringComparison.Ordinal) ? HubStandIn.Refuse(404, "EntryNotFound", "gone") : null;
        InputException error = await Should.ThrowAsync<InputException>(() => Pull(null));
        error.Problems.Count.ShouldBe(2);
        error.Message.ShouldContain("7 of 8 files failed");
        error.Message.ShouldContain("part-1.bin, part-2.bin, part-3.bin and 3 more: ");
        error.Message.ShouldContain("config.json: ");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_after_some_attempts()
    {
        _hub.Dispose();
        UnavailableException error = await Should.ThrowAsync<UnavailableException>(() => Pull(Token));
        error.Message.ShouldContain($"cannot reach {_hub.Address.Authority}");
        error.Message.ShouldContain("tried 5 times");
    }

    [Fact]
    public async Task Signatures_of_addresses_are_not_shown()
    {
        _hub.Storage!.Change = (_, _) => new HubReply(410);
        InputException error = await Should.ThrowAsync<InputException>(() => Pull(null));
        error.Message.ShouldContain("/contents/");
        error.Message.ShouldNotContain("secret");
    }

    [Fact]
    public async Task An_endpoint_may_lie_below_a_path()
    {
        List<string> paths = [];
        _hub.Change = (call, _) =>
        {
            lock (paths)
                paths.Add(call.Path);
            return HubStandIn.Refuse(404, "RevisionNotFound", "");
        };
        await Should.ThrowAsync<InputException>(() => Pull(null, endpoint: new Uri(_hub.Address, "mirror/hf/")));
        paths.ShouldBe([$"/mirror/hf/api/models/{HubStandIn.Id}/revision/main"]);
    }

    private async Task<string> Refused(int status, string code, string? token)
    {
        _hub.Change = (_, _) => HubStandIn.Refuse(status, code, "the words of the server");
        return (await Should.ThrowAsync<InputException>(() => Pull(token))).ToString();
    }

    private async Task<HubSnapshot> Pull(string? token, string id = HubStandIn.Id, Uri? endpoint = null)
    {
        using HubClient client = new(new HubOptions { Endpoint = endpoint ?? _hub.Address, CacheFolder = _folder.FullName, Token = token, Wait = (_, _) => Task.CompletedTask });
        return await client.PullAsync(new HubRequest(HubRepository.Parse(id)), null);
    }

    /// <summary>Redirects whatever it is asked to one place, and knows nothing there.</summary>
    private sealed class Carrier(Uri location) : HttpMessageHandler
    {
        public List<(Uri Address, string? Token)> Requests { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add((request.RequestUri!, request.Headers.Authorization?.Parameter));
            HttpResponseMessage reply = new(request.RequestUri == location ? System.Net.HttpStatusCode.NotFound : System.Net.HttpStatusCode.Found);
            reply.Headers.Location = location;
            return Task.FromResult(reply);
        }
    }
}
