using System.Collections.Concurrent;
using System.Globalization;
using Lorikeet.Tensors;

namespace Lorikeet.Formats.Tests;

/// <summary>One file on its way over bad connections and from servers that lie.</summary>
public sealed class HubFileTests : IDisposable
{
    private static readonly HubRepository Repository = HubRepository.Parse(HubStandIn.Id);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-hub-");
    private readonly ConcurrentQueue<TimeSpan> _waits = new();
    private readonly HubStandIn _hub = new();
    private readonly byte[] _weights = HubStandIn.Bytes(200_000);

    public HubFileTests() => _hub.Large["model.safetensors"] = _weights;

    private string Partial => Path.Combine(_folder.FullName, "models--birds--lorikeet", "blobs", $"{HubStandIn.Sha256(_weights)}.incomplete");

    private string?[] Ranges => [.. _hub.Storage!.Calls.Select(call => call.Header("Range"))];

    public void Dispose()
    {
        _hub.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_broken_connection_is_continued_where_it_broke()
    {
        _hub.Storage!.Change = (call, reply) => call.Header("Range") is null ? reply with { BreakAfter = 70_000 } : null;
        (await Pull()).Downloaded.ShouldBe(_weights.Length);
        Ranges.ShouldBe([null, "bytes=70000-"]);
        _hub.Storage.Calls[1].Header("If-Range").ShouldStartWith("\"storage-");
        _waits.ShouldBe([TimeSpan.FromSeconds(1)]);
    }

    [Fact]
    public async Task As_long_as_bytes_arrive_it_goes_on()
    {
        _hub.Storage!.Change = (_, reply) => reply with { BreakAfter = Math.Min(reply.Body.Length, 10_000) };
        (await Pull(attempts: 2)).Downloaded.ShouldBe(_weights.Length);
        Ranges.Length.ShouldBe(20);
    }

    [Fact]
    public async Task A_connection_that_falls_silent_counts_as_broken()
    {
        _hub.Storage!.Change = (call, reply) => call.Header("Range") is null ? reply with { BreakAfter = 50_000, Stall = true } : null;
        (await Pull(stall: TimeSpan.FromMilliseconds(300))).Downloaded.ShouldBe(_weights.Length);
        Ranges.ShouldBe([null, "bytes=50000-"]);
    }

    [Fact]
    public async Task The_next_run_continues_what_a_killed_one_left()
    {
        Leave(_weights[..120_000]);
        (await Pull()).Downloaded.ShouldBe(80_000);
        Ranges.ShouldBe(["bytes=120000-"]);
        File.Exists(Partial).ShouldBeFalse();
    }

    [Fact]
    public async Task A_whole_file_that_was_only_not_yet_renamed_is_not_fetched_again()
    {
        Leave(_weights);
        (await Pull()).Downloaded.ShouldBe(0);
        Ranges.ShouldBeEmpty();
    }

    [Fact]
    public async Task Damaged_remains_are_noticed_and_fetched_anew()
    {
        Leave(HubStandIn.Bytes(120_000, seed: 9));
        await Pull();
        Ranges.ShouldBe(["bytes=120000-", null]);
    }

    [Fact]
    public async Task Remains_longer_than_the_file_are_dropped()
    {
        Leave(HubStandIn.Bytes(_weights.Length + 1));
        await Pull();
        Ranges.ShouldBe([null]);
    }

    [Fact]
    public async Task A_server_that_sends_everything_again_is_accepted()
    {
        Leave(_weights[..120_000]);
        _hub.Storage!.Change = (_, reply) => reply.Status == 206 ? new HubReply(200) { Body = _weights } : null;
        (await Pull()).Downloaded.ShouldBe(_weights.Length);
    }

    [Fact]
    public async Task A_file_that_changed_between_two_connections_begins_anew()
    {
        int calls = 0;
        _hub.Storage!.Change = (call, reply) => Interlocked.Increment(ref calls) switch
        {
            1 => reply with { BreakAfter = 50_000, Headers = new Dictionary<string, string> { ["ETag"] = "\"old\"" } },
            _ => null, // another tag now, so the stand-in answers If-Range with the whole file
        };
        (await Pull()).Downloaded.ShouldBe(50_000 + _weights.Length);
        _hub.Storage.Calls[1].Header("If-Range").ShouldBe("\"old\"");
    }

    [Theory]
    [InlineData("bytes 5-199999/200000")]
    [InlineData("bytes 120000-199999/300000")]
    [InlineData(null)]
    public async Task Another_part_than_asked_for_is_not_appended(string? range)
    {
        Leave(_weights[..120_000]);
        _hub.Storage!.Change = (_, reply) =>
        {
            if (reply.Status != 206)
                return null;
            Dictionary<string, string> headers = new(reply.Headers);
            headers.Remove("Content-Range");
            if (range is not null)
                headers["Content-Range"] = range;
            return reply with { Headers = headers };
        };
        await Pull();
        Ranges.ShouldBe(["bytes=120000-", null]);
    }

    [Fact]
    public async Task A_range_that_cannot_be_satisfied_begins_anew()
    {
        Leave(_weights[..120_000]);
        _hub.Storage!.Change = (call, _) => call.Header("Range") is null ? null : new HubReply(416);
        await Pull();
        Ranges.ShouldBe(["bytes=120000-", null]);
    }

    [Fact]
    public async Task After_the_last_attempt_it_says_so_and_keeps_what_has_arrived()
    {
        _hub.Storage!.Change = (call, reply) => call.Header("Range") is null ? reply with { BreakAfter = 70_000 } : reply with { BreakAfter = 0 };
        UnavailableException error = await Should.ThrowAsync<UnavailableException>(() => Pull(attempts: 3));
        error.Message.ShouldContain("broke after 70000 of 200000 bytes");
        error.Message.ShouldContain("HF_ENDPOINT");
        _waits.Select(wait => wait.TotalSeconds).ShouldBe([1, 2]);
        new FileInfo(Partial).Length.ShouldBe(70_000);
        new HubCache(_folder.FullName).Find(Repository).ShouldBeNull();
        Directory.Exists(Path.Combine(_folder.FullName, "models--birds--lorikeet", "refs")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_busy_server_is_given_the_time_that_it_asks_for()
    {
        int calls = 0;
        _hub.Change = (call, _) => call.Method == "HEAD" && Interlocked.Increment(ref calls) <= 2
            ? new HubReply(calls == 1 ? 429 : 503) { Headers = new Dictionary<string, string> { ["Retry-After"] = "17" } }
            : null;
        await Pull();
        _waits.Select(wait => wait.TotalSeconds).ShouldBe([17, 17]);
    }

    [Fact]
    public async Task Wrong_bytes_are_fetched_a_second_time_and_then_refused()
    {
        int damaged = 1;
        _hub.Storage!.Change = (_, reply) => Interlocked.Decrement(ref damaged) >= 0 ? reply with { Body = HubStandIn.Bytes(_weights.Length, seed: 5) } : null;
        await Pull();

        _folder.Delete(recursive: true);
        damaged = int.MaxValue;
        InputException error = await Should.ThrowAsync<InputException>(() => Pull());
        error.Message.ShouldContain(HubStandIn.Sha256(_weights));
        error.Message.ShouldContain(HubStandIn.Sha256(HubStandIn.Bytes(_weights.Length, seed: 5)));
        File.Exists(Partial).ShouldBeFalse();
        new HubCache(_folder.FullName).Find(Repository).ShouldBeNull();
    }

    [Fact]
    public async Task The_digest_of_a_small_file_is_checked_too()
    {
        _hub.Large.Clear();
        _hub.Small["config.json"] = [1, 2, 3];
        _hub.Change = (call, reply) => call.Method == "GET" && call.Path.EndsWith("config.json", StringComparison.Ordinal) ? reply with { Body = [1, 2, 4] } : null;
        (await Should.ThrowAsync<InputException>(() => Pull())).Message.ShouldContain(HubStandIn.BlobId([1, 2, 4]));
    }

    [Fact]
    public async Task More_bytes_than_announced_are_stopped()
    {
        _hub.Storage!.Change = (_, reply) => reply with { Body = [.. _weights, .. _weights] };
        (await Should.ThrowAsync<InputException>(() => Pull())).Message.ShouldContain("more than the 200000 bytes");
    }

    [Theory]
    [InlineData("\"../../../../evil\"")]
    [InlineData("\"a/b\"")]
    [InlineData("\".hidden\"")]
    [InlineData("\"\"")]
    public async Task A_tag_that_is_no_file_name_is_refused(string tag)
    {
        _hub.Change = (call, reply) => call.Method != "HEAD" ? null : reply with { Headers = new Dictionary<string, string>(reply.Headers) { ["X-Linked-Etag"] = tag } };
        (await Should.ThrowAsync<InputException>(() => Pull())).Message.ShouldContain("no usable ETag");
        Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_tag_that_is_no_digest_serves_as_a_name_but_old_remains_are_not_trusted()
    {
        _hub.Large.Clear();
        byte[] bytes = HubStandIn.Bytes(5000);
        _hub.Small["data"] = bytes;
        _hub.Change = (call, reply) => call.Path.Contains("/resolve/", StringComparison.Ordinal)
            ? reply with { Headers = new Dictionary<string, string>(reply.Headers) { ["ETag"] = "W/\"mirror-1\"" } } : null;
        string blobs = Directory.CreateDirectory(Path.GetDirectoryName(Partial)!).FullName;
        File.WriteAllBytes(Path.Combine(blobs, "mirror-1.incomplete"), new byte[1000]);
        HubSnapshot snapshot = await Pull();
        File.ReadAllBytes(Path.Combine(snapshot.Folder, "data")).ShouldBe(bytes);
        File.Exists(Path.Combine(blobs, "mirror-1")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_serves_another_commit_is_refused()
    {
        _hub.Change = (call, reply) => call.Method != "HEAD" ? null : reply with { Headers = new Dictionary<string, string>(reply.Headers) { ["X-Repo-Commit"] = new string('c', 40) } };
        (await Should.ThrowAsync<InputException>(() => Pull())).Message.ShouldContain("does not serve what it was asked for");
    }

    [Fact]
    public async Task Too_little_room_is_told_before_anything_is_fetched()
    {
        UnavailableException error = await Should.ThrowAsync<UnavailableException>(() => Pull(free: 1234));
        error.Message.ShouldContain("200,000 more bytes");
        error.Message.ShouldContain("1,234 free");
        _hub.Downloads.ShouldBe(0);
        Leave(_weights[..199_000]);
        await Pull(free: 1234);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named_with_what_to_do()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "models--birds--lorikeet"));
        File.WriteAllText(Path.Combine(_folder.FullName, "models--birds--lorikeet", "blobs"), "in the way");
        InputException error = await Should.ThrowAsync<InputException>(() => Pull());
        error.Message.ShouldContain(_folder.FullName);
        error.Message.ShouldContain("HF_HUB_CACHE");
    }

    private void Leave(byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        File.WriteAllBytes(Partial, bytes);
    }

    private async Task<HubSnapshot> Pull(int attempts = 5, TimeSpan? stall = null, long? free = null)
    {
        using HubClient client = new(new HubOptions
        {
            Endpoint = _hub.Address,
            CacheFolder = _folder.FullName,
            Attempts = attempts,
            StallTimeout = stall ?? TimeSpan.FromSeconds(30),
            FreeSpace = _ => free,
            Wait = (wait, _) =>
            {
                _waits.Enqueue(wait);
                return Task.CompletedTask;
            },
        });
        HubSnapshot snapshot = await client.PullAsync(new HubRequest(Repository));
        foreach ((string name, byte[] bytes) in _hub.Large)
            File.ReadAllBytes(Path.Combine(snapshot.Folder, name)).ShouldBe(bytes, name.ToString(CultureInfo.InvariantCulture));
        return snapshot;
    }
}
