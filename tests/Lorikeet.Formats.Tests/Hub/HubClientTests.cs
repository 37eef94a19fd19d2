using System.Collections.Concurrent;
using System.Text;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

/// <summary>Pulling from a stand-in on loopback: what arrives, what lies in the cache, and what happens when things go wrong.</summary>
public sealed class HubClientTests : IDisposable
{
    private static readonly HubRepository Repository = HubRepository.Parse(HubStandIn.Id);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-hub-");
    private readonly ConcurrentQueue<TimeSpan> _waits = new();
    private readonly HubStandIn _hub = new();
    private readonly byte[] _config = Encoding.UTF8.GetBytes("""{"model_type": "llama"}""");
    private readonly byte[] _weights = HubStandIn.Bytes(300_000);

    public HubClientTests()
    {
        _hub.Small["config.json"] = _config;
        _hub.Large["model.safetensors"] = _weights;
    }

    public void Dispose()
    {
        _hub.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_repository_arrives_laid_out_as_the_hub_does()
    {
        _hub.Small["tokenizer/vocab.txt"] = "a\nb\n"u8.ToArray();
        HubSnapshot snapshot = await Pull();

        string repository = Path.Combine(_folder.FullName, "models--birds--lorikeet");
        snapshot.Folder.ShouldBe(Path.Combine(repository, "snapshots", _hub.Commit));
        snapshot.Files.ShouldBe(["config.json", "model.safetensors", "tokenizer/vocab.txt"]);
        snapshot.Downloaded.ShouldBe(_config.Length + _weights.Length + 4);
        File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")).ShouldBe(_weights);
        new FileInfo(Path.Combine(snapshot.Folder, "config.json")).LinkTarget.ShouldBe($"../../blobs/{HubStandIn.BlobId(_config)}");
        new FileInfo(Path.Combine(snapshot.Folder, "model.safetensors")).LinkTarget.ShouldBe($"../../blobs/{HubStandIn.Sha256(_weights)}");
        new FileInfo(Path.Combine(snapshot.Folder, "tokenizer", "vocab.txt")).LinkTarget!.ShouldStartWith("../../../blobs/");
        File.ReadAllText(Path.Combine(repository, "refs", "main")).ShouldBe(_hub.Commit);
        Directory.GetFiles(Path.Combine(repository, "blobs")).Length.ShouldBe(3);
        File.Exists(Path.Combine(_folder.FullName, ".locks", "models--birds--lorikeet", $"{HubStandIn.Sha256(_weights)}.lock")).ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_there_is_not_fetched_again()
    {
        await Pull();
        int before = _hub.Downloads;
        HubSnapshot again = await Pull();
        again.Downloaded.ShouldBe(0);
        _hub.Downloads.ShouldBe(before);
    }

    [Fact]
    public async Task Downloads_of_other_programs_are_found()
    {
        string repository = Path.Combine(_folder.FullName, "models--birds--lorikeet");
        string snapshot = Directory.CreateDirectory(Path.Combine(repository, "snapshots", _hub.Commit)).FullName;
        Directory.CreateDirectory(Path.Combine(repository, "blobs"));
        Directory.CreateDirectory(Path.Combine(repository, "refs"));
        File.WriteAllText(Path.Combine(repository, "refs", "main"), _hub.Commit);
        foreach ((string name, byte[] bytes, string tag) in new[] { ("config.json", _config, HubStandIn.BlobId(_config)), ("model.safetensors", _weights, HubStandIn.Sha256(_weights)) })
        {
            File.WriteAllBytes(Path.Combine(repository, "blobs", tag), bytes);
            File.CreateSymbolicLink(Path.Combine(snapshot, name), $"../../blobs/{tag}");
        }
        (await Pull()).Downloaded.ShouldBe(0);
        _hub.Downloads.ShouldBe(0);
        (await Pull(Options(offline: true))).Files.ShouldBe(["config.json", "model.safetensors"]);
    }

    [Fact]
    public async Task A_new_commit_shares_what_did_not_change()
    {
        HubSnapshot old = await Pull();
        _hub.Commit = new string('b', 40);
        _hub.Small["config.json"] = "{}"u8.ToArray();
        HubSnapshot changed = await Pull();

        changed.Downloaded.ShouldBe(2);
        changed.Commit.ShouldBe(_hub.Commit);
        File.ReadAllBytes(Path.Combine(old.Folder, "config.json")).ShouldBe(_config);
        File.ReadAllText(Path.Combine(changed.Folder, "config.json")).ShouldBe("{}");
        File.ReadAllBytes(Path.Combine(changed.Folder, "model.safetensors")).ShouldBe(_weights);
        File.ReadAllText(Path.Combine(_folder.FullName, "models--birds--lorikeet", "refs", "main")).ShouldBe(_hub.Commit);
    }

    [Theory]
    [InlineData("v1.0")]
    [InlineData("refs/pr/7")]
    public async Task A_tag_or_a_proposal_can_be_pulled(string revision)
    {
        _hub.Revisions.Add(revision);
        await Pull(revision: revision);
        File.ReadAllText(Path.Combine([_folder.FullName, "models--birds--lorikeet", "refs", .. revision.Split('/')])).ShouldBe(_hub.Commit);
        using HubClient offline = new(Options(offline: true));
        (await offline.PullAsync(new HubRequest(HubRepository.Create(HubStandIn.Id, revision)), null, TestContext.Current.CancellationToken)).Commit.ShouldBe(_hub.Commit);
    }

    [Fact]
    public async Task A_commit_pins_the_revision()
    {
        HubSnapshot snapshot = await Pull(revision: _hub.Commit);
        snapshot.Commit.ShouldBe(_hub.Commit);
        Directory.Exists(Path.Combine(_folder.FullName, "models--birds--lorikeet", "refs")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_dataset_has_its_own_place()
    {
        HubSnapshot snapshot = await Pull(repository: HubRepository.Parse($"datasets/{HubStandIn.Id}"));
        snapshot.Folder.ShouldStartWith(Path.Combine(_folder.FullName, "datasets--birds--lorikeet"));
        _hub.Calls.ShouldContain(call => call.Path == $"/api/datasets/{HubStandIn.Id}/revision/main");
        _hub.Calls.ShouldContain(call => call.Path.StartsWith($"/datasets/{HubStandIn.Id}/resolve/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Patterns_choose_the_files()
    {
        _hub.Small["onnx/model.json"] = [1];
        _hub.Small["notes.md"] = [2];
        (await Pull(allow: ["*.json"], ignore: ["onnx/"])).Files.ShouldBe(["config.json"]);
        InputException none = await Should.ThrowAsync<InputException>(() => Pull(allow: ["*.gguf"]));
        none.Message.ShouldContain("*.gguf");
        none.Message.ShouldContain("config.json");
    }

    [Fact]
    public async Task Weights_for_other_programs_can_be_left_out()
    {
        foreach (string name in new[] { "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "original/consolidated.00.pth" })
            _hub.Small[name] = [1, 2, 3];
        HubRequest request = new(Repository) { WeightsOnce = true };
        using HubClient client = new(Options());
        (await client.PullAsync(request, null, TestContext.Current.CancellationToken)).Files.ShouldBe(["config.json", "model.safetensors"]);
        _hub.Large.Clear();
        (await client.PullAsync(request, null, TestContext.Current.CancellationToken)).Files.ShouldBe(["config.json", "pytorch_model.bin"]);
        (await client.PullAsync(request with { Allow = ["*.h5"] }, null, TestContext.Current.CancellationToken)).Files.ShouldBe(["tf_model.h5"]);
    }

    [Fact]
    public async Task Names_with_spaces_signs_and_umlauts_and_empty_files_arrive()
    {
        _hub.Small["a folder/größe 100% #1?.txt"] = [7];
        _hub.Small["empty"] = [];
        HubSnapshot snapshot = await Pull();
        File.ReadAllBytes(Path.Combine(snapshot.Folder, "a folder", "größe 100% #1?.txt")).ShouldBe([7]);
        new FileInfo(Path.Combine(snapshot.Folder, "empty")).ResolveLinkTarget(true)!.Exists.ShouldBeTrue();
    }

    [Fact]
    public async Task Progress_tells_bytes_and_totals()
    {
        ConcurrentQueue<HubProgress> news = new();
        using HubClient client = new(Options());
        await client.PullAsync(new HubRequest(Repository), new Listener(news.Enqueue), TestContext.Current.CancellationToken);
        HubProgress[] weights = [.. news.Where(report => report.File == "model.safetensors")];
        weights.Select(report => report.Bytes).ShouldBeInOrder();
        weights.ShouldAllBe(report => report.Total == _weights.Length && report.Retry == null);
        weights[^1].Bytes.ShouldBe(_weights.Length);
    }

    [Fact]
    public async Task A_damaged_blob_of_the_wrong_size_is_replaced()
    {
        HubSnapshot snapshot = await Pull();
        string blob = Path.Combine(_folder.FullName, "models--birds--lorikeet", "blobs", HubStandIn.Sha256(_weights));
        File.WriteAllBytes(blob, _weights[..1000]);
        (await Pull()).Downloaded.ShouldBe(_weights.Length);
        File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")).ShouldBe(_weights);
    }

    [Fact]
    public async Task Without_symbolic_links_the_files_themselves_lie_in_the_snapshot()
    {
        HubOptions options = Options(links: false);
        HubSnapshot snapshot = await Pull(options);
        new FileInfo(Path.Combine(snapshot.Folder, "model.safetensors")).LinkTarget.ShouldBeNull();
        File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")).ShouldBe(_weights);
        Directory.GetFiles(Path.Combine(_folder.FullName, "models--birds--lorikeet", "blobs")).ShouldBeEmpty();
        (await Pull(options)).Downloaded.ShouldBe(0);
    }

    [Fact]
    public async Task Offline_answers_from_the_cache_or_says_what_is_missing()
    {
        InputException nothing = await Should.ThrowAsync<InputException>(() => Pull(Options(offline: true)));
        nothing.Message.ShouldContain("HF_HUB_OFFLINE");
        nothing.Message.ShouldContain("nothing of this repository");
        await Pull(allow: ["config.json"]);
        int calls = _hub.Calls.Length;
        (await Pull(Options(offline: true))).Files.ShouldBe(["config.json"]);
        InputException other = await Should.ThrowAsync<InputException>(() => Pull(Options(offline: true), revision: "v2"));
        other.Message.ShouldContain($"main, {_hub.Commit}");
        InputException file = await Should.ThrowAsync<InputException>(() => Pull(Options(offline: true), allow: ["*.safetensors"]));
        file.Message.ShouldContain("*.safetensors");
        _hub.Calls.Length.ShouldBe(calls);
    }

    [Fact]
    public async Task Two_pulls_of_the_same_file_download_it_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Pull())));
        _hub.Storage!.Calls.Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_another_process_downloads_is_waited_for()
    {
        HubCache cache = new(_folder.FullName);
        FileStream held = await cache.LockAsync(Repository, HubStandIn.Sha256(_weights), CancellationToken.None);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _hub.Change = (call, _) =>
        {
            if (call.Method == "HEAD")
                asked.TrySetResult();
            return null;
        };
        Task<HubSnapshot> pull = Pull(allow: ["*.safetensors"]);
        await asked.Task;
        string blob = cache.BlobPath(Repository, HubStandIn.Sha256(_weights));
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        File.WriteAllBytes(blob, _weights);
        pull.IsCompleted.ShouldBeFalse();
        held.Dispose();
        (await pull).Downloaded.ShouldBe(0);
        _hub.Downloads.ShouldBe(0);
    }

    [Fact]
    public async Task A_cancelled_pull_leaves_nothing_visible_and_is_continued_by_the_next()
    {
        using CancellationTokenSource cancel = new();
        _hub.Storage!.Change = (call, reply) => call.Header("Range") is null ? reply with { BreakAfter = 100_000, Stall = true } : null;
        Listener listener = new(news =>
        {
            if (news.Bytes >= 100_000)
                cancel.Cancel();
        });
        using HubClient client = new(Options());
        await Should.ThrowAsync<OperationCanceledException>(() => client.PullAsync(new HubRequest(Repository) { Allow = ["*.safetensors"] }, listener, cancel.Token));
        new HubCache(_folder.FullName).Find(Repository).ShouldBeNull();

        (await Pull()).Downloaded.ShouldBe(_weights.Length - 100_000 + _config.Length);
        _hub.Storage.Calls[^1].Header("Range").ShouldBe("bytes=100000-");
    }

    private Task<HubSnapshot> Pull(HubOptions? options = null, string revision = "main", string[]? allow = null, string[]? ignore = null, HubRepository? repository = null)
    {
        HubClient client = new(options ?? Options());
        return Task.Run(async () =>
        {
            using HubClient held = client;
            return await held.PullAsync(new HubRequest(repository ?? HubRepository.Create(HubStandIn.Id, revision)) { Allow = allow ?? [], Ignore = ignore ?? [] });
        });
    }

    private HubOptions Options(bool offline = false, bool links = true) => new()
    {
        Endpoint = _hub.Address,
        CacheFolder = _folder.FullName,
        Offline = offline,
        SymbolicLinks = links,
        Wait = (wait, _) =>
        {
            _waits.Enqueue(wait);
            return Task.CompletedTask;
        },
    };

    private sealed class Listener(Action<HubProgress> hear) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => hear(value);
    }
}
