using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lorikeet.Formats.Tests;

/// <summary>A request as it arrived.</summary>
internal sealed record HubCall(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>A reply, with the ways in which it may go wrong.</summary>
internal sealed record HubReply(int Status)
{
    public Dictionary<string, string> Headers { get; init; } = [];
    public byte[] Body { get; init; } = [];

    /// <summary>Announces the whole body, sends this many bytes of it and closes the connection.</summary>
    public int? BreakAfter { get; init; }

    /// <summary>Announces the whole body, sends <see cref="BreakAfter"/> bytes and then nothing more, without closing.</summary>
    public bool Stall { get; init; }
}

/// <summary>
/// A server on the loopback interface that answers as the hub does: one repository, small files by itself, large ones by a redirect to a second
/// server that knows nothing but contents. A test changes single replies to see what the client makes of them.
/// </summary>
internal sealed partial class HubStandIn : IDisposable
{
    public const string Id = "birds/lorikeet";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<HubCall> _calls = new();
    private readonly HubStandIn? _hub;

    public HubStandIn() : this(null) => Storage = new HubStandIn(this);

    private HubStandIn(HubStandIn? hub)
    {
        _hub = hub;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _ = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>The other server, with another port, where large files lie; null on that one itself.</summary>
    public HubStandIn? Storage { get; }

    public string Commit { get; set; } = new('a', 40);

    public Dictionary<string, byte[]> Small { get; } = [];

    public Dictionary<string, byte[]> Large { get; } = [];

    public HashSet<string> Revisions { get; } = ["main"];

    /// <summary>Replaces a reply where it gives one; it may look at the call and at the reply that would be sent.</summary>
    public Func<HubCall, HubReply, HubReply?>? Change { get; set; }

    public HubCall[] Calls => [.. _calls];

    /// <summary>How often contents were asked for, here and at the storage.</summary>
    public int Downloads => Calls.Concat(Storage?.Calls ?? []).Count(call => call.Method == "GET" && !call.Path.StartsWith("/api/", StringComparison.Ordinal));

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

#pragma warning disable CA5350 // git's blob id is SHA-1 by definition
    public static string BlobId(byte[] bytes) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length.ToString(CultureInfo.InvariantCulture)}\0"), .. bytes]));
#pragma warning restore CA5350

    public static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        Storage?.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient held = client;
        try
        {
            NetworkStream stream = client.GetStream();
            HubCall call = await ReadAsync(stream);
            _calls.Enqueue(call);
            HubReply reply = _hub is null ? Answer(call) : AnswerContents(call);
            reply = Change?.Invoke(call, reply) ?? reply;
            StringBuilder head = new($"HTTP/1.1 {reply.Status} {(HttpStatusCode)reply.Status}\r\nConnection: close\r\n");
            if (!reply.Headers.ContainsKey("Content-Length"))
                head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.Body.Length}\r\n");
            foreach ((string name, string value) in reply.Headers)
                head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), _end.Token);
            if (call.Method != "HEAD")
                await stream.WriteAsync(reply.Body.AsMemory(0, reply.BreakAfter ?? reply.Body.Length), _end.Token);
            if (reply.Stall)
                await Task.Delay(Timeout.Infinite, _end.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // the client went away, or the test is over
        }
    }

    private async Task<HubCall> ReadAsync(NetworkStream stream)
    {
        using StreamReader reader = new(stream, Encoding.ASCII, leaveOpen: true);
        string[] first = (await reader.ReadLineAsync(_end.Token) ?? throw new IOException("no request")).Split(' ');
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 } line)
            headers[line[..line.IndexOf(':', StringComparison.Ordinal)]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        string[] parts = first[1].Split('?', 2);
        return new HubCall(first[0], parts[0], parts.Length > 1 ? parts[1] : "", headers);
    }

    private HubReply Answer(HubCall call)
    {
        Match list = ListPath().Match(call.Path);
        Match file = FilePath().Match(call.Path);
        if (list.Success)
        {
            string revision = Uri.UnescapeDataString(list.Groups["revision"].Value);
            return list.Groups["id"].Value != Id ? Refuse(401, "RepoNotFound", "Repository not found")
                : !Revisions.Contains(revision) && revision != Commit ? Refuse(404, "RevisionNotFound", "Invalid rev id")
                : new HubReply(200) { Body = JsonSerializer.SerializeToUtf8Bytes(new { id = Id, sha = Commit, siblings = Siblings() }) };
        }
        string name = Uri.UnescapeDataString(file.Groups["name"].Value);
        if (file.Groups["id"].Value == Id && Small.TryGetValue(name, out byte[]? small))
        {
            HubReply whole = Contents(call, small, $"\"{BlobId(small)}\"");
            whole.Headers["X-Repo-Commit"] = Commit;
            return whole;
        }
        if (file.Groups["id"].Value == Id && Large.TryGetValue(name, out byte[]? large))
        {
            return new HubReply(302)
            {
                Headers = new Dictionary<string, string>
                {
                    ["X-Repo-Commit"] = Commit,
                    ["X-Linked-Etag"] = $"\"{Sha256(large)}\"",
                    ["X-Linked-Size"] = large.Length.ToString(CultureInfo.InvariantCulture),
                    ["Location"] = $"{Storage!.Address}contents/{Sha256(large)}?signature=secret",
                },
            };
        }
        return Refuse(404, "EntryNotFound", "Entry not found");
    }

    private HubReply AnswerContents(HubCall call)
    {
        byte[]? contents = _hub!.Large.Values.FirstOrDefault(bytes => call.Path == $"/contents/{Sha256(bytes)}");
        return contents is null ? new HubReply(404) : Contents(call, contents, $"\"storage-{Sha256(contents)[..8]}\"");
    }

    private static HubReply Contents(HubCall call, byte[] bytes, string tag)
    {
        Dictionary<string, string> headers = new() { ["ETag"] = tag };
        int from = call.Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
        if (from == 0 || (call.Header("If-Range") is { } condition && condition != tag))
            return new HubReply(200) { Headers = headers, Body = bytes };
        if (from >= bytes.Length)
            return new HubReply(416) { Headers = headers };
        headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{bytes.Length - 1}/{bytes.Length}");
        return new HubReply(206) { Headers = headers, Body = bytes[from..] };
    }

    public static HubReply Refuse(int status, string code, string message) =>
        new(status) { Headers = new Dictionary<string, string> { ["X-Error-Code"] = code, ["X-Error-Message"] = message } };

    private object[] Siblings() =>
    [
        .. Small.Select(file => (object)new { rfilename = file.Key, size = file.Value.Length, blobId = BlobId(file.Value) }),
        .. Large.Select(file => (object)new { rfilename = file.Key, size = file.Value.Length, blobId = new string('0', 40), lfs = new { sha256 = Sha256(file.Value), size = file.Value.Length, pointerSize = 134 } }),
    ];

    [GeneratedRegex("^/api/(models|datasets)/(?<id>[^/]+/[^/]+)/revision/(?<revision>.+)$")]
    private static partial Regex ListPath();

    [GeneratedRegex("^(/datasets)?/(?<id>[^/]+/[^/]+)/resolve/[0-9a-f]{40}/(?<name>.+)$")]
    private static partial Regex FilePath();
}
